import type { CommitId } from "../domain/names.ts";
import type { ReleaseId } from "../domain/rollout/rollout-record.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";

/** `unreadable`: it may be had another time. */
export type BaseVerdict<Spec> =
  | { readonly kind: "accept"; readonly spec: Spec }
  | { readonly kind: "refuse" | "unreadable"; readonly detail: string };

/**
 * Whether what a rollout's record calls the last release that ended well may be gone back to: its commit is one that led to the release in
 * force, and not older than `floor`, the last completed release that is known here (protocol rule 3; null: none is). Whoever can
 * write into the registry cannot bring back a commit from before. `matches`: whether what it compiles to is what the record names.
 */
export async function acceptBase<Spec>(
  base: ReleaseId,
  release: { readonly commit: CommitId },
  floor: CommitId | null,
  source: GitSource,
  compile: (commit: CommitId) => Promise<{ readonly spec: Spec | null }>,
  matches: (spec: Spec) => boolean = () => true,
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
