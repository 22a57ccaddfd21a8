import type { Machine } from "../cluster/machine.ts";
import { matchesSelector, printSelector } from "../cluster/selector.ts";
import { mayBeReplaced } from "../loss/may-be-replaced.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import type { RejectReason } from "./placement.ts";

/** Why the commit itself keeps these units off this machine, whoever is there and whatever else runs; null: it does not. */
export function staticReject(units: readonly SpecUnit[], machine: Machine): RejectReason | null {
  if (!machine.admitted) return { code: "not-admitted" };
  for (const { options } of units) {
    if (options.machineId !== null && options.machineId !== machine.id && options.machineId !== machine.name) {
      return { code: "other-machine", wanted: options.machineId };
    }
  }
  for (const { options } of units) {
    for (const selector of options.machineMetadata) {
      if (!matchesSelector(selector, machine)) return { code: "metadata", wanted: printSelector(selector) };
    }
  }
  return null;
}

/** Two groups of one key are rejected by the same machines for the same reasons: asked once for all of them. */
export function staticKey(units: readonly SpecUnit[]): string {
  return JSON.stringify(
    units.flatMap(({ options }) => [
      ...(options.machineId === null ? [] : [options.machineId]),
      ...options.machineMetadata,
    ]),
  );
}

/** Why nothing new comes to this machine now, by what it is; null: it is open. */
export function closedBecause(machine: Machine): RejectReason | null {
  if (machine.presence === "lost") return { code: "lost" };
  if (machine.presence === "absent") return { code: "absent" };
  if (machine.drain) return { code: "drained" };
  if (machine.cordon) return { code: "cordoned" };
  return machine.flapping === true ? { code: "flapping" } : null;
}

/** Why these units should leave this machine; null: they stay. Absence alone moves nothing, nor does a loss that they are to wait out. */
export function leaveBecause(machine: Machine, units: readonly SpecUnit[]): RejectReason | null {
  if (machine.presence === "lost" && mayBeReplaced(units, machine.graces)) return { code: "lost" };
  return machine.drain ? { code: "drained" } : null;
}
