import type { MachineId } from "../names.ts";
import type { ClusterSnapshot, KeptSet, MachineSet } from "./cluster-snapshot.ts";

/**
 * Whether part of a set was taken out of the registry, or its header: then what is left says little of what its machine runs. Only by what
 * shows at a glance; a set of the right size with another digest is written over as it is.
 */
export function isDamagedSet(set: MachineSet | undefined, epoch: number): boolean {
  return set?.header?.epoch !== epoch || set.header.count !== set.placements.length;
}

/**
 * What machines tell of their own sets, as they took them in this very epoch, where the registry shows those damaged or not at all. Nobody else
 * knows which global units they have.
 */
export function toldSets({ identity, sets, kept = [] }: ClusterSnapshot): ReadonlyMap<MachineId, KeptSet> {
  if (identity === null || kept.length === 0) return NOBODY;
  const shown = new Map(sets.map((set) => [set.machine, set]));
  return new Map(
    kept
      .filter((one) => one.identity.id === identity.id && one.epoch === identity.epoch)
      .filter(({ machine }) => isDamagedSet(shown.get(machine), identity.epoch))
      .map((one) => [one.machine, one]),
  );
}

const NOBODY: ReadonlyMap<MachineId, KeptSet> = new Map();
