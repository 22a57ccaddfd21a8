import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";
import type { Admission } from "./admission.ts";
import type { ListedMachine } from "./judge-caller.ts";

/**
 * Which keys are whose, for whoever judges machines that dial: git's, and for machines of which git says no key the one that a token let in.
 * A key that git gives to somebody is nobody else's, whatever a token said.
 */
export function machineKeys(
  listed: readonly ListedMachine[],
  admitted: readonly Pick<Admission, "machine" | "key">[],
): ReadonlyMap<NodeKey, MachineId> {
  const keys = new Map<NodeKey, MachineId>();
  const known = new Set<MachineId>();
  for (const { machine, key } of listed) {
    if (machine === null || key === null) continue;
    keys.set(key, machine);
    known.add(machine);
  }
  for (const { machine, key } of admitted) if (!known.has(machine) && !keys.has(key)) keys.set(key, machine);
  return keys;
}
