import type { SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import type { EffectiveUnit } from "../unit/effective-unit.ts";
import { stopPropagation } from "../unit/stop-propagation.ts";
import { type EndlessStop, type StopTime, stopTimeOf, totalMs } from "../unit/stop-time.ts";
import { unitNameParts } from "../unit/unit-name.ts";

/** How much faster or slower two machines' clocks run: two orders of magnitude beyond what crystals do (100 ppm), and still only 1 %. */
const CLOCK_DRIFT = 0.01;

/**
 * What lies between a deadline and the moment systemd acts on it, and between SIGKILL and the end: the lease's helper may be a second late
 * (fleet-lease), and a systemd that is reading all units again does nothing else (1.24 s with 1,000 active units, measured).
 */
export const STOP_SLACK_MS = 3_000;

/** A unit of a machine or a commit, as far as its stop goes. */
export interface StoppableUnit {
  readonly name: UnitName;
  readonly service: UnitName;
  readonly effective: EffectiveUnit;
  /** Units it starts after, and so stops before. */
  readonly after: readonly UnitName[];
  /** How long it may outlive its machine's lease; null where it is kept. */
  readonly stopAfterMs: number | null;
}

/** Why a unit may still run when its machine's lease has ended. Milliseconds. */
export type LeaseProblem = {
  readonly unit: UnitName;
  /** Whose stop is the matter: the unit's own, or that of one that is stopped with it and has to be gone first. */
  readonly of: UnitName;
} & (
  | { readonly kind: "endless"; readonly stop: Omit<EndlessStop, "kind"> }
  /** `needMs` from the last sign of life to the last process, `limitMs` from there to the end of the lease as seen from elsewhere. */
  | {
      readonly kind: "too-long";
      readonly needMs: number;
      readonly limitMs: number;
      readonly stopMs: number;
      /** Of `of`: how long a step may take so that it fits; not positive where none would. */
      readonly fittingStepMs: number;
      readonly steps: number;
      readonly at: SourceLocation | null;
    }
);

/**
 * Protocol rule 22a: with the last acknowledged renewal sent at S, nobody can see the lease end before S + ttl. So of a unit that is
 * stopped at S + stop-after, `stop-after + its stop + slack <= ttl × (1 - drift)` must hold, or two machines may run it at once. What
 * stops with it and was started after it stops before it, and counts. Sorted by unit.
 */
export function leaseProblems(units: readonly StoppableUnit[], ttlMs: number): readonly LeaseProblem[] {
  const bound = units.filter((unit) => unit.stopAfterMs !== null);
  if (bound.length === 0) return [];
  const chains = new StopChains(units);
  return [...bound].sort((a, b) => compareText(a.name, b.name)).flatMap((unit) => problemOf(unit, chains, ttlMs));
}

/** The shortest lease with which none of them is a problem, those aside whose stop has no end; 0 where none needs one. Milliseconds. */
export function shortestLeaseMs(units: readonly StoppableUnit[]): number {
  const chains = new StopChains(units);
  const needs = units.flatMap((unit) => {
    const stopMs = unit.stopAfterMs === null ? Number.POSITIVE_INFINITY : lengthOf(chains.longest(unit));
    return Number.isFinite(stopMs) ? [Math.ceil((unit.stopAfterMs! + stopMs + STOP_SLACK_MS) / (1 - CLOCK_DRIFT))] : [];
  });
  return Math.max(0, ...needs);
}

function problemOf(unit: StoppableUnit, chains: StopChains, ttlMs: number): readonly LeaseProblem[] {
  const chain = chains.longest(unit);
  const endless = chain.find(({ stop }) => stop.kind === "endless");
  if (endless?.stop.kind === "endless") {
    const { kind: _, ...stop } = endless.stop;
    return [{ unit: unit.name, of: endless.unit.name, kind: "endless", stop }];
  }
  const limitMs = Math.floor(ttlMs * (1 - CLOCK_DRIFT));
  const stops = chain.flatMap(({ unit: of, stop }) => (stop.kind === "bounded" ? [{ of, stop }] : []));
  const stopMs = stops.reduce((sum, { stop }) => sum + totalMs(stop), 0);
  const needMs = unit.stopAfterMs! + stopMs + STOP_SLACK_MS;
  if (needMs <= limitMs) return [];
  const worst = stops.reduce((a, b) => (totalMs(b.stop) > totalMs(a.stop) ? b : a));
  const room = limitMs - needMs + totalMs(worst.stop);
  return [
    {
      unit: unit.name,
      of: worst.of.name,
      kind: "too-long",
      needMs,
      limitMs,
      stopMs,
      fittingStepMs: Math.floor(room / worst.stop.steps / 100) * 100,
      steps: worst.stop.steps,
      at: worst.stop.at,
    },
  ];
}

/** Units that stop one after another, each waiting for the next: nobody writes more, and each could add seconds. */
const ROW_MAX = 100;

interface Link {
  readonly unit: StoppableUnit;
  readonly stop: StopTime;
}

/** Who has to be gone before whom, among units that are stopped together. */
class StopChains {
  readonly #followers = new Map<UnitName, StoppableUnit[]>();
  readonly #longest = new Map<UnitName, readonly Link[]>();

  constructor(units: readonly StoppableUnit[]) {
    const byName = new Map<UnitName, StoppableUnit>();
    for (const unit of units) byName.set(unit.service, unit);
    for (const unit of units) byName.set(unit.name, unit);
    const add = (leader: StoppableUnit | undefined, follower: StoppableUnit | undefined) => {
      if (leader === undefined || follower === undefined || leader === follower) return;
      if (!follower.after.some((name) => byName.get(name) === leader)) return;
      const known = this.#followers.get(leader.name) ?? [];
      if (!known.includes(follower)) this.#followers.set(leader.name, [...known, follower]);
    };
    for (const unit of units) {
      const { from, to } = stopPropagation(unit.name, unit.effective);
      for (const leader of from) add(byName.get(leader), unit);
      for (const follower of to) add(unit, byName.get(follower));
    }
  }

  /**
   * The unit and those that stop before it, one behind the other: the slowest such row, or one with no end. There are no circles:
   * followers are among those that start after a unit.
   */
  longest(unit: StoppableUnit, depth = 1): readonly Link[] {
    const known = this.#longest.get(unit.name);
    if (known !== undefined) return known;
    const followers = this.#followers.get(unit.name) ?? [];
    const rows =
      depth < ROW_MAX ? followers.map((follower) => this.longest(follower, depth + 1)) : followers.map(rowTooLong);
    const slowest = rows.reduce<readonly Link[]>((a, b) => (lengthOf(b) > lengthOf(a) ? b : a), []);
    const row = [{ unit, stop: stopOf(unit) }, ...slowest];
    this.#longest.set(unit.name, row);
    return row;
  }
}

function rowTooLong(unit: StoppableUnit): readonly Link[] {
  const saw = `a row of more than ${ROW_MAX} units that stop one after another`;
  return [{ unit, stop: { kind: "endless", at: { path: unit.effective.path }, saw, next: "shorten it" } }];
}

function lengthOf(row: readonly Link[]): number {
  return row.reduce((sum, { stop }) => sum + (stop.kind === "endless" ? Number.POSITIVE_INFINITY : totalMs(stop)), 0);
}

/** Types without processes are gone at once. */
const INSTANT: ReadonlySet<string> = new Set(["timer", "path", "target", "slice", "automount"]);

function stopOf({ service, effective, name }: StoppableUnit): StopTime {
  const { type } = unitNameParts(name);
  if (INSTANT.has(type)) return { kind: "bounded", stepMs: 0, steps: 1, at: null };
  if (type === "service") return stopTimeOf(effective);
  const next = "only a service's stop has a time that fleet can tell; let it go without this unit, or with Group=none";
  return { kind: "endless", at: { path: effective.path }, saw: `a .${type}, ${service}`, next };
}
