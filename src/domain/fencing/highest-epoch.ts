import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import type { RegistryMark } from "./judge-replaced.ts";

/** The highest epoch anybody who left a word in this registry has seen: whoever raises it goes above that. 0: nobody has seen one. */
export function highestEpoch({ identity, members, kept = [] }: ClusterSnapshot, known: RegistryMark | null): number {
  return Math.max(
    identity?.epoch ?? 0,
    known?.epoch ?? 0,
    ...members.flatMap(({ acceptedEpoch = 0, setEpoch = 0 }) => [acceptedEpoch, setEpoch]),
    ...kept.flatMap((set) => [set.epoch, set.identity.epoch]),
  );
}
