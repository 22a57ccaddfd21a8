import type { UnitName } from "../names.ts";
import { leaseUnit, stopAfterOfFiles } from "../spec/at-most-one-dropin.ts";
import { type LeaseProblem, leaseProblems, type StoppableUnit, shortestLeaseMs } from "../spec/lease-bound.ts";
import { formatStopAfter } from "../unit/on-disconnect.ts";
import { stoppedWith, wantedText } from "./stopped-with.ts";
import type { WantedUnit } from "./task.ts";

/** The units of this machine's set that run at most once. */
export interface AtMostOnce {
  /** Sorted as the set is. */
  readonly units: readonly SingleUnit[];
  /** The shortest lease of this machine that leaves time to stop them, drop-ins of the machine counted. Whole seconds, in milliseconds. */
  readonly leaseMs: number;
  /** All units of the set, as far as their stops go; empty where none runs at most once. */
  readonly stoppable: readonly StoppableUnit[];
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

export function atMostOnce(wanted: readonly WantedUnit[]): AtMostOnce {
  const units = wanted.flatMap(({ name, service, files, oneshot }): readonly SingleUnit[] => {
    const stopAfterMs = stopAfterOfFiles(name, files);
    if (stopAfterMs === null) return [];
    return [{ name, service, stopAfterMs, lease: leaseUnit(formatStopAfter(stopAfterMs)), oneshot }];
  });
  if (units.length === 0) return { units, leaseMs: 0, stoppable: [] };
  const single = new Map(units.map((unit) => [unit.name, unit.stopAfterMs]));
  const stoppable = wanted.map((unit) => {
    const { name, service, after } = unit;
    return { name, service, after, effective: wantedText(unit), stopAfterMs: single.get(name) ?? null };
  });
  return { units, leaseMs: Math.ceil(shortestLeaseMs(stoppable) / 1_000) * 1_000, stoppable };
}

/** For whom a lease of that length is too short, as the agent really has it, or no lease would do. */
export function tooShortFor({ stoppable }: AtMostOnce, ttlMs: number): ReadonlySet<UnitName> {
  return new Set(leaseProblems(stoppable, ttlMs).map(({ unit }: LeaseProblem) => unit));
}

/** With those that may not run now, everything that is down while they are: started, it would only wait for them in vain. */
export function heldBackWith(units: readonly UnitName[], wanted: readonly WantedUnit[]): readonly UnitName[] {
  return units.length === 0 ? [] : [...units, ...stoppedWith(units, wanted).keys()].sort();
}
