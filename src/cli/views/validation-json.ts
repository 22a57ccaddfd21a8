import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { CommitId } from "../../domain/names.ts";
import type { ClusterSpec } from "../../domain/spec/cluster-spec.ts";

/** What `fleet validate --json` prints. Absent parts are null, so that a script may ask for them. */
export function validationJson(result: {
  readonly valid: boolean;
  readonly commit: CommitId;
  readonly spec: ClusterSpec | null;
  readonly diagnostics: readonly Diagnostic[];
}) {
  const { valid, commit, spec, diagnostics } = result;
  return {
    valid,
    commit,
    cluster: spec?.cluster ?? null,
    units: spec?.units.length ?? null,
    groups: spec?.groups.length ?? null,
    diagnostics: diagnostics.map(({ code, severity, at, saw, expected, next, excerpt }) => ({
      code,
      severity,
      path: at?.path ?? null,
      line: at?.line ?? null,
      column: at?.column ?? null,
      saw,
      expected: expected ?? null,
      next: next ?? null,
      excerpt: excerpt ?? null,
      at: at ?? null,
    })),
  };
}
