import type { Machine } from "../cluster/machine.ts";
import { matchesSelector, printSelector } from "../cluster/selector.ts";
import { mayBeReplaced } from "../loss/may-be-replaced.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import type { RejectReason } from "./placement.ts";
import type { ReplicaSpread } from "./replica-rules.ts";

interface StaticWants {
  readonly units: readonly SpecUnit[];
  readonly spreads: readonly ReplicaSpread[];
}

/** Why the commit itself keeps this group off this machine, whoever is there and whatever else runs; null: it does not. */
export function staticReject({ units, spreads }: StaticWants, machine: Machine): RejectReason | null {
  if (machine.unrecorded === true) return null;
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
  const without = spreads.find(({ key, hard }) => hard && !Object.hasOwn(machine.metadata, key));
  return without === undefined ? null : { code: "spread", set: without.rules.set, key: without.key, value: null };
}

/**
 * What a newcomer needs of the machine and the machine has said it does not have; null: nothing. What is there already stays: podman is
 * away for seconds when it is updated, and that is no reason to move. A machine that does not say what it can is taken to be able to.
 */
export function lackedCapability(units: readonly SpecUnit[], machine: Machine): RejectReason | null {
  if (machine.capabilities === undefined || machine.capabilities.includes(QUADLET)) return null;
  return units.some(({ kind }) => kind === "quadlet") ? { code: "capability", wanted: QUADLET } : null;
}

const QUADLET = "quadlet";

/** Two groups of one key are rejected by the same machines: asked once for all of them. Most ask for nothing. */
export function staticKey(units: readonly SpecUnit[], spreads: readonly ReplicaSpread[]): string {
  if (spreads.length === 0 && units.length === 1 && !asks(units[0]!)) return "";
  const hard = spreads.filter((spread) => spread.hard);
  if (hard.length === 0 && !units.some(asks)) return "";
  return JSON.stringify([
    units.flatMap(({ options }) => [
      ...(options.machineId === null ? [] : [options.machineId]),
      ...options.machineMetadata,
    ]),
    hard.map(({ key }) => key),
    units.some(({ kind }) => kind === "quadlet"),
  ]);
}

function asks({ options, kind }: SpecUnit): boolean {
  return kind === "quadlet" || options.machineId !== null || options.machineMetadata.length > 0;
}

/** Why nothing new comes to this machine now, by what it is; null: it is open. */
export function closedBecause(machine: Machine): RejectReason | null {
  if (machine.presence === "lost") return { code: "lost" };
  if (machine.presence === "absent" || machine.unrecorded === true) return { code: "absent" };
  if (machine.drain) return { code: "drained" };
  if (machine.cordon) return { code: "cordoned" };
  return machine.flapping === true ? { code: "flapping" } : null;
}

/** Why these units should leave this machine; null: they stay. Absence alone moves nothing, nor does a loss that they are to wait out. */
export function leaveBecause(machine: Machine, units: readonly SpecUnit[]): RejectReason | null {
  if (machine.presence === "lost" && mayBeReplaced(units, machine.graces)) return { code: "lost" };
  return machine.drain ? { code: "drained" } : null;
}
