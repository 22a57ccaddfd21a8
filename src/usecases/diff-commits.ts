import { type Diagnostic, hasErrors } from "../domain/diagnostic.ts";
import { diffSpecs, type SpecDiff } from "../domain/history/diff-specs.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { diffPlan, type UnitDiff } from "./diff-plan.ts";

export type CommitDiff =
  /** One of them has errors, and so no units to compare. */
  | { readonly kind: "rejected"; readonly commit: CommitId; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly kind: "compared";
      readonly before: CommitId;
      readonly after: CommitId;
      readonly diff: SpecDiff;
      /** The units whose text differs, as systemd reads them. */
      readonly texts: readonly UnitDiff[];
    };

/** What two commits of one repository differ in, in units; no cluster is asked. Rejects where a commit cannot be read. */
export async function diffCommits(input: {
  readonly before: CommitId;
  readonly after: CommitId;
  readonly compile: CommitCompiler;
  readonly sha256: Sha256;
}): Promise<CommitDiff> {
  const { before, after, compile, sha256 } = input;
  const specs: ClusterSpec[] = [];
  for (const commit of [before, after]) {
    const { spec, diagnostics } = await compile(commit);
    if (spec === null || hasErrors(diagnostics)) return { kind: "rejected", commit, diagnostics };
    specs.push(spec);
  }
  const [old, now] = specs as [ClusterSpec, ClusterSpec];
  const diff = diffSpecs(old, now, sha256);
  return { kind: "compared", before, after, diff, texts: diffPlan(diff, now, old) };
}
