import type { Diagnostic } from "../../domain/diagnostic.ts";
import type { CommitId } from "../../domain/names.ts";
import type { ClusterSpec } from "../../domain/spec/cluster-spec.ts";
import { diagnosticCounts } from "./diagnostics-text.ts";

/** The last line of a `fleet validate` that found no error: what is valid, and how much else was found. */
export function validText(spec: ClusterSpec, commit: CommitId, diagnostics: readonly Diagnostic[]): string {
  const counted = (count: number, what: string) => `${count} ${what}${count === 1 ? "" : "s"}`;
  const [units, groups] = [counted(spec.units.length, "unit"), counted(spec.groups.length, "group")];
  const counts = diagnosticCounts(diagnostics);
  return `${spec.cluster}: ${units} in ${groups} ${spec.units.length === 1 ? "is" : "are"} valid at ${commit.slice(0, 7)}${counts === "" ? "" : `; ${counts}`}`;
}
