import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { memberAhead, type RegistryMark } from "../domain/fencing/judge-replaced.ts";
import { type Witness, witnessOf } from "../domain/fencing/lost-cluster.ts";
import type { MachineId } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import { REGISTRY_REPLACED, REPLACED_NEXT, replacedDetail } from "./replaced-detail.ts";

/**
 * A release made in a registry that was wiped or restored would be one its machines do not take, with a number they have had: rejects
 * where they say so. `known`: what an engine says it remembers; null where nobody was asked.
 */
export function refuseReplaced(snapshot: ClusterSnapshot, known: RegistryMark | null = null): void {
  const why = whyReplaced(snapshot, known);
  if (why === null) return;
  throw new OperationError(REGISTRY_REPLACED, `${why}; nothing was changed`, { next: REPLACED_NEXT });
}

/** What machines know that the registry does not show; null where that is nothing. */
export function whyReplaced(snapshot: ClusterSnapshot, known: RegistryMark | null = null): string | null {
  const ahead = memberAhead(snapshot);
  if (ahead !== null) return replacedDetail(ahead);
  const witness = witnessOf(snapshot, known);
  return witness === null ? null : `the registry holds no cluster, and ${witnessText(witness, snapshot)}`;
}

function witnessText(witness: Witness, { members }: ClusterSnapshot): string {
  const nameOf = (machine: MachineId) => members.find(({ id }) => id === machine)?.name ?? machine;
  switch (witness.code) {
    case "keeps":
      return `${nameOf(witness.machine)} follows release ${witness.seq} of ${witness.cluster}`;
    case "belongs":
      return `${nameOf(witness.machine)} belongs to cluster ${witness.clusterId.slice(0, 8)}`;
    case "remembers":
      return `an engine remembers release ${witness.seq} of cluster ${witness.clusterId.slice(0, 8)}`;
  }
}
