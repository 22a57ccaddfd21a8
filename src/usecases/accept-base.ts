import type { CommitId } from "../domain/names.ts";
import type { ReleaseId } from "../domain/rollout/rollout-record.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { TrustJudge } from "./trust-judge.ts";
import { untrustedDetail } from "./untrusted-detail.ts";

/** `unreadable`: it may be had another time. */
export type BaseVerdict<Spec> =
  | { readonly kind: "accept"; readonly spec: Spec }
  | { readonly kind: "refuse" | "unreadable"; readonly detail: string };

export interface BaseDemands<Spec> {
  /** Whether what it compiles to is what the record names. */
  readonly matches?: (spec: Spec) => boolean;
  /** Null: who asks runs nothing of it. */
  readonly trust?: Pick<TrustJudge, "judge"> | null;
}

/**
 * Whether what a rollout's record calls the last release that ended well may be gone back to: its commit is one that led to the release in
 * force, and not older than `floor`, the last completed release that is known here (protocol rule 3; null: none is). Whoever can
 * write into the registry cannot bring back a commit from before.
 */
export async function acceptBase<Spec>(
  base: ReleaseId,
  release: { readonly commit: CommitId },
  floor: CommitId | null,
  source: GitSource,
  compile: (commit: CommitId) => Promise<{ readonly spec: Spec | null }>,
  { matches = () => true, trust = null }: BaseDemands<Spec> = {},
): Promise<BaseVerdict<Spec>> {
  try {
    for (const [older, newer] of [
      [base.commit, release.commit] as const,
      ...(floor === null ? [] : [[floor, base.commit] as const]),
    ]) {
      const answer = older === newer ? "yes" : await source.isAncestor(older, newer);
      if (answer === "no") return { kind: "refuse", detail: `commit ${newer} does not descend from ${older}` };
      if (answer === "unknown")
        return { kind: "unreadable", detail: `whether ${newer} descends from ${older} is not known here` };
    }
    const trusted = await trust?.judge(floor, base.commit);
    if (trusted !== undefined && trusted.kind !== "accepted")
      return { kind: trusted.kind === "unknown" ? "unreadable" : "refuse", detail: untrustedDetail(trusted).detail };
    const { spec } = await compile(base.commit);
    if (spec === null) return { kind: "refuse", detail: `commit ${base.commit} does not compile here` };
    if (!matches(spec))
      return { kind: "refuse", detail: `commit ${base.commit} compiles to another spec than its rollout names` };
    return { kind: "accept", spec };
  } catch (error) {
    if (!(error instanceof OperationError)) throw error;
    return { kind: "unreadable", detail: error.message };
  }
}
