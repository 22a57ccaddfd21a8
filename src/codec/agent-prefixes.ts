import type { MachineId } from "../domain/names.ts";
import type { RegistryKeys } from "./registry-keys.ts";

/** What the agent of a machine follows in the registry to know what to do; its own statuses it follows apart. */
export function agentPrefixes(keys: RegistryKeys, machine: MachineId): string[] {
  return [
    keys.cluster,
    keys.release,
    keys.set(machine),
    keys.member(machine),
    keys.presence(machine),
    keys.kept(machine),
    keys.claims(machine),
    keys.holds,
    keys.rollouts,
  ];
}
