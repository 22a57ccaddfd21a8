import type { UnitName } from "../names.ts";
import { leaseUnit, stopAfterOfFiles } from "../spec/at-most-one-dropin.ts";
import { type LeaseProblem, leaseProblems } from "../spec/lease-bound.ts";
import { formatStopAfter } from "../unit/on-disconnect.ts";
import { stoppedWith, wantedText } from "./stopped-with.ts";
import type { WantedUnit } from "./task.ts";

/** The units of this machine's set that run at most once. */
export interface AtMostOnce {
  /** Sorted as the set is. */
  readonly units: readonly SingleUnit[];
  /** Why this machine's lease is too short for some of them, drop-ins of the machine counted. */
  readonly problems: readonly LeaseProblem[];
}

export interface SingleUnit {
  readonly name: UnitName;
  readonly service: UnitName;
  /** How long it may outlive the lease, in milliseconds. */
  readonly stopAfterMs: number;
  /** The unit it is bound to. */
  readonly lease: UnitName;
  readonly oneshot: boolean;
}

/** `ttlMs` is the lease's as the agent really has it, whatever the manifest says. */
export function atMostOnce(wanted: readonly WantedUnit[], ttlMs: number): AtMostOnce {
  const units = wanted.flatMap(({ name, service, files, oneshot }): readonly SingleUnit[] => {
    const stopAfterMs = stopAfterOfFiles(name, files);
    if (stopAfterMs === null) return [];
    return [{ name, service, stopAfterMs, lease: leaseUnit(formatStopAfter(stopAfterMs)), oneshot }];
  });
  if (units.length === 0) return { units, problems: [] };
  const single = new Map(units.map((unit) => [unit.name, unit.stopAfterMs]));
  const stoppable = wanted.map((unit) => {
    const { name, service, after } = unit;
    return { name, service, after, effective: wantedText(unit), stopAfterMs: single.get(name) ?? null };
  });
  return { units, problems: leaseProblems(stoppable, ttlMs) };
}

/** With those that may not run now, everything that is down while they are: started, it would only wait for them in vain. */
export function heldBackWith(units: readonly UnitName[], wanted: readonly WantedUnit[]): readonly UnitName[] {
  return units.length === 0 ? [] : [...units, ...stoppedWith(units, wanted).keys()].sort();
}
