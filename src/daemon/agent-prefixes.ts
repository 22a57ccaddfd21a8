import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { MachineId } from "../domain/names.ts";

/** What the agent of a machine follows in the registry. */
export function agentPrefixes(keys: RegistryKeys, machine: MachineId): string[] {
  return [
    keys.cluster,
    keys.release,
    keys.set(machine),
    keys.statuses(machine),
    keys.member(machine),
    keys.presence(machine),
    keys.holds,
  ];
}
