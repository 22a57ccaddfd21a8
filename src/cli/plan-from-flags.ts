import { hasErrors } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import type { PlanSelection } from "../domain/plan/view-of-plan.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { diffPlan, type UnitDiff } from "../usecases/diff-plan.ts";
import { type PlannedCommit, planCommit } from "../usecases/plan-commit.ts";
import { warnUntrusted } from "../usecases/warn-untrusted.ts";
import type { Composition } from "./composition.ts";
import { RejectedCommit } from "./report-error.ts";

export type Planned = Extract<PlannedCommit, { kind: "planned" }>;

/** The commit a revision of the repository means, or the error that says what to do. */
export async function commitFromFlags(composition: Composition, revision: string): Promise<CommitId> {
  const repository = await composition.repository();
  const commit = await repository.resolve(revision);
  if (commit !== null) return commit;
  throw new OperationError("commit-unknown", `there is no commit ${revision} in this repository`, {
    next:
      revision === "HEAD"
        ? "commit something first: git add . && git commit"
        : "name a branch, a tag or a commit id that exists",
  });
}

/** What of the commit is looked at, where it is not all of it; such a plan cannot be applied. */
export interface PlanView {
  readonly worktree?: boolean;
  /** The working tree as it would be. */
  readonly tree?: Pick<GitSource, "listFiles" | "readBlob"> | undefined;
  readonly selection?: PlanSelection | undefined;
  /** As if the machines of these selectors were lost. */
  readonly without?: readonly string[];
  readonly eachLost?: boolean;
}

/** The plan of the repository the command stands in, against the cluster that is configured, if any. */
export async function planFromFlags(
  composition: Composition,
  revision: string,
  { worktree = false, tree, selection, without = [], eachLost = false }: PlanView = {},
): Promise<Planned> {
  const commit = await commitFromFlags(composition, revision);
  const repository = await composition.repository();
  const compileReleased = await composition.compiler(repository);
  const previewed = tree ?? (worktree ? repository.openWorktree() : null);
  const compile = previewed === null ? compileReleased : await composition.compiler(previewed);
  const registry = await composition.registry();
  const planned = await planCommit({
    commit,
    compile,
    compileReleased,
    cluster: registry === null ? null : { registry, keysOf: composition.keysOf },
    partial: previewed === null ? null : "the working tree",
    ...(selection === undefined ? {} : { selection }),
    without,
    eachLost,
    sha256: composition.sha256,
  });
  if (planned.kind === "rejected") throw new RejectedCommit(planned.diagnostics);
  if (previewed !== null) return planned;
  const { TrustJudge } = await import("../usecases/trust-judge.ts");
  const judge = new TrustJudge({ source: repository, manifestPath: composition.manifest, own: null });
  const untrusted = await warnUntrusted(repository, judge, planned.snapshot.release?.commit ?? null, commit);
  return { ...planned, diagnostics: [...planned.diagnostics, ...untrusted] };
}

/** Compiles without any cluster; every finding is returned. */
export async function validateFromFlags(composition: Composition, revision: string, worktree: boolean) {
  const repository = await composition.repository();
  const commit = await commitFromFlags(composition, revision);
  const compile = await composition.compiler(worktree ? repository.openWorktree() : repository);
  const { spec, diagnostics } = await compile(commit);
  return { commit, spec, diagnostics, valid: spec !== null && !hasErrors(diagnostics) };
}

/** The units behind the plan's changes as systemd reads them. */
export function changedUnits({ plan, spec, released }: Planned): UnitDiff[] {
  return diffPlan(plan, spec, released);
}
