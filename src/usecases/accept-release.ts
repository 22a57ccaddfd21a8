import type { AcceptedRelease } from "../codec/agent-state.ts";
import type { ClusterIdentity, Release, StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { TrustJudge } from "./trust-judge.ts";
import { untrustedDetail } from "./untrusted-detail.ts";

export type ReleaseVerdict<Spec> =
  | { readonly kind: "accept"; readonly release: AcceptedRelease; readonly spec: Spec }
  | { readonly kind: "refuse"; readonly problem: StatusProblem };

/** A part of a spec has no hash: that it is a part of what the release names shows in the hashes of units that are placed. */
interface Compiled {
  readonly cluster: string;
  readonly specHash?: SpecHash;
}

export interface ReleasePorts {
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
}

/**
 * Whether a machine may take this release: its commit is on the branch this machine fetched itself, descends from the last one
 * accepted, is signed as what was accepted asks for (`trustedFrom`, where that is another), and compiles here; as a whole, to the very spec the release names. Three answers of ancestry: on unknown history nothing is
 * decided. An engine asks the same of the commit it places from; an agent compiles what it runs (protocol rule 37a).
 */
export async function acceptRelease<Spec extends Compiled>(
  release: Release,
  identity: ClusterIdentity,
  accepted: Pick<AcceptedRelease, "commit"> | null,
  { source, trust }: ReleasePorts,
  compile: (commit: CommitId) => Promise<{ readonly spec: Spec | null; readonly diagnostics: readonly Diagnostic[] }>,
  trustedFrom: CommitId | null = accepted?.commit ?? null,
): Promise<ReleaseVerdict<Spec>> {
  try {
    const tip = await tipHolding(release, source);
    if (tip !== "yes")
      return refuse("not-on-branch", `commit ${release.commit} is ${answer(tip)} on this machine's branch`);
    const descends = accepted === null ? "yes" : await source.isAncestor(accepted.commit, release.commit);
    if (descends !== "yes") {
      return refuse(
        "not-a-descendant",
        `commit ${release.commit} is ${answer(descends)} a descendant of ${accepted?.commit}`,
      );
    }
    const trusted = await trust.judge(trustedFrom, release.commit);
    if (trusted.kind !== "accepted") {
      const { code, detail } = untrustedDetail(trusted);
      return refuse(code, detail);
    }
    const { spec, diagnostics } = await compile(release.commit);
    if (spec === null || hasErrors(diagnostics))
      return refuse("commit-invalid", diagnostics[0]?.saw ?? "it does not compile");
    if (spec.cluster !== identity.name)
      return refuse("other-cluster", `the commit is of cluster ${spec.cluster}, not ${identity.name}`);
    if (spec.specHash !== undefined && spec.specHash !== release.specHash)
      return refuse("spec-differs", "the commit compiles to another spec than the release names");
    return { kind: "accept", release: { seq: release.seq, commit: release.commit, specHash: release.specHash }, spec };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return refuse("commit-unavailable", error.message);
  }
}

/** A mirror may be behind: fetch once before believing that the branch does not hold the commit. */
async function tipHolding(release: Release, source: GitSource): Promise<"yes" | "no" | "unknown"> {
  return source.isAncestor(release.commit, await source.fetch(release.commit));
}

function answer(verdict: "no" | "unknown"): string {
  return verdict === "no" ? "not" : "not surely";
}

function refuse(code: string, detail: string): ReleaseVerdict<never> {
  return { kind: "refuse", problem: { code, detail, journal: [] } };
}
