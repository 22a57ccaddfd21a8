import type { CommitId, Sha256, UnitName } from "../domain/names.ts";
import type { Placement } from "../domain/placement/placement.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { type Cluster, type PlannedCommit, planCommit } from "./plan-commit.ts";
import { proveCommit, type SourceBranch } from "./prove-commit.ts";
import { readSnapshot } from "./read-snapshot.ts";

export type PlannedAgain = Extract<PlannedCommit, { kind: "planned" }> & {
  /** On the source's branch, and does what the plan says. */
  readonly commit: CommitId;
};

export interface CommitOfPlanInput extends SourceBranch {
  readonly plan: Plan;
  readonly cluster: Cluster;
  /** Of the source's commits. */
  readonly compile: CommitCompiler;
  /** The commit that took the plan's onto the branch, where somebody names it; else it is looked for at the tip. */
  readonly revision: string | null;
  readonly sha256: Sha256;
}

/**
 * The commit to release for a reviewed plan whose basis stands: the plan's own where it is on the branch (pushed, fast-forwarded or
 * merged), else the branch's tip if it has the same spec and planning it decides the same (squashed, rebased, cherry-picked). Rejects
 * with `not-on-branch` or `not-a-descendant`, saying what the tip does otherwise.
 */
export async function commitOfPlan(input: CommitOfPlanInput): Promise<PlannedAgain> {
  const { plan } = input;
  const own = await tryCommit(plan.commit, input);
  if (own.kind === "same") return own.planned;
  const other = await otherCommit(input);
  if (other === plan.commit) throw own.because;
  const taken = await tryCommit(other, input);
  if (taken.kind === "same") return taken.planned;
  const where = input.revision === null ? `the tip of ${input.branch}` : "the commit named";
  throw new OperationError(own.because.code, `${own.because.message}; ${where}: ${taken.because.message}`, {
    next:
      input.revision === null
        ? "push or merge it first; if the branch went on since, name the commit that took it in with --revision, or plan again"
        : "name the commit that took it in, or plan again",
  });
}

type Tried =
  | { readonly kind: "same"; readonly planned: PlannedAgain }
  | { readonly kind: "not"; readonly because: OperationError };

async function tryCommit(commit: CommitId, input: CommitOfPlanInput): Promise<Tried> {
  const { plan, cluster, compile, sha256 } = input;
  const { snapshot } = await readSnapshot(cluster.registry, cluster.keysOf(plan.cluster));
  const problem = await proveCommit(commit, snapshot.release, input);
  if (problem !== null) return { kind: "not", because: problem };
  const planned = await planCommit({ commit, compile, cluster, partial: null, sha256 });
  const short = commit.slice(0, 12);
  const not = (code: string, message: string): Tried => ({ kind: "not", because: new OperationError(code, message) });
  if (planned.kind === "rejected") {
    const errors = planned.diagnostics.filter((diagnostic) => diagnostic.severity === "error").length;
    return not("commit-invalid", `commit ${short} has ${errors} ${errors === 1 ? "error" : "errors"}`);
  }
  if (planned.plan.contentId !== plan.contentId) {
    return not("other-plan", `commit ${short} differs from the plan in ${differences(plan, planned.plan)}`);
  }
  return { kind: "same", planned: { ...planned, commit } };
}

/** Units named before the rest is only counted. */
const UNITS_NAMED_MAX = 3;

function differences(plan: Plan, other: Plan): string {
  const [was, now] = [textsByUnit(plan.placements), textsByUnit(other.placements)];
  const units = [...new Set([...was.keys(), ...now.keys()])].filter((unit) => was.get(unit) !== now.get(unit)).sort();
  if (units.length === 0) return "what its manifest says of placement and rollout";
  const more = units.length - UNITS_NAMED_MAX;
  return `${units.slice(0, UNITS_NAMED_MAX).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}

function textsByUnit(placements: readonly Placement[]): Map<UnitName, string> {
  const texts = new Map<UnitName, string>();
  for (const { unit, machine, hash, goal } of placements) {
    texts.set(unit, `${texts.get(unit) ?? ""} ${machine} ${hash} ${goal}`);
  }
  return texts;
}

async function otherCommit({ source, revision }: CommitOfPlanInput): Promise<CommitId> {
  const tip = await source.fetch();
  if (revision === null) return tip;
  const named = await source.resolve(revision);
  if (named !== null) return named;
  throw new OperationError("commit-unknown", `there is no commit ${revision} in the cluster's source`, {
    next: "name a branch, a tag or a commit id that was pushed",
  });
}
