import type { MachineId, UnitName } from "../names.ts";
import type { Effect } from "../plan/plan.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { ReplicaState, RolloutChange, RolloutInput } from "./plan-rollout.ts";

/** What stops a running unit for a while or for good; all others leave its processes alone. */
const TAKES_DOWN: ReadonlySet<Effect> = new Set(["stop", "move", "restart"]);
/** What leaves a unit that did not run as it was. */
const CHANGES_NO_PROCESS: ReadonlySet<Effect> = new Set(["reload", "daemon-reload", "quiet"]);

const RUNS: ReadonlySet<ReplicaState> = new Set(["up", "settling", "unknown"]);

/**
 * What one budget counts: all instances of one template, one plain unit, or a global unit's machines. A machine that is away takes its
 * copies of global units along, unwanted while it is away: machines that are off must not block every commit. An instance
 * on a machine that is away is down: that is capacity lost.
 */
export interface ReplicaSet {
  /** The template's name, or the unit's own. */
  readonly name: string;
  /** How many the commit wants, also where no machine holds them now. */
  wanted: number;
  /** The smallest of its units'. */
  maxUnavailable: number;
  /** How many were up before the first wave. */
  now: number;
  /** How many there are, up or down. What the commit wants and has nowhere to run any more is counted on. */
  here: number;
  up: number;
  /** Of `up`, those that go down in the wave under way. */
  taken: number;
  /** The smallest of its units'; infinite where none has one. */
  maxParallel: number;
  /** How many change in the wave under way; counted where `maxParallel` is finite. */
  changing: number;
  /**
   * One of it is as the commit wants it and not up for long enough: its wave is not over, and nobody else goes down meanwhile. Nor does
   * anybody where it is not known how one of it does.
   */
  isBusy: boolean;
}

/** What a step does to one set: `down` while it is under way, `here` and `up` are the differences once it is done. */
export interface Load {
  readonly set: ReplicaSet;
  down: number;
  here: number;
  up: number;
  /** Replicas that were not there before. */
  added: number;
  /** Replicas that `maxParallel` counts: all that change, but for those whose machine is away. */
  changed: number;
}

/** How many a budget counts by now: replicas that were never there are not missed. */
export function sizeOf(set: ReplicaSet): number {
  return Math.min(set.wanted, set.here);
}

/** The fewest the budget allows to be up. */
export function minimumOf(set: ReplicaSet): number {
  return Math.max(0, sizeOf(set) - set.maxUnavailable);
}

/** How many more may go down in the wave under way. */
export function slackOf(set: ReplicaSet): number {
  return set.isBusy ? 0 : set.up - set.taken - minimumOf(set);
}

/** How many more may change in the wave under way. A step that is larger than the limit goes alone. */
export function roomOf(set: ReplicaSet): number {
  if (set.maxParallel === Number.POSITIVE_INFINITY) return set.maxParallel;
  if (set.isBusy) return 0;
  return set.changing === 0 ? Number.POSITIVE_INFINITY : set.maxParallel - set.changing;
}

/** Whether a wave may do this to the set, with what it does already. */
export function fits({ set, down, changed }: Pick<Load, "set" | "down" | "changed">): boolean {
  return (down === 0 || slackOf(set) >= down) && (changed === 0 || roomOf(set) >= changed);
}

/** All sets as they are before the first wave, and what changes do to them. */
export class ReplicaSets {
  readonly #input: RolloutInput;
  readonly #units: ReadonlyMap<UnitName, SpecUnit>;
  readonly #globals: ReadonlySet<UnitName>;
  readonly #placed: ReadonlySet<UnitName>;
  readonly #sets = new Map<string, ReplicaSet>();

  constructor(input: RolloutInput) {
    this.#input = input;
    this.#units = new Map(input.spec.units.map((unit) => [unit.name, unit]));
    this.#globals = globalsOf(input.released, input.spec);
    this.#placed = new Set(input.after.map((placement) => placement.unit));
    this.#count();
  }

  /**
   * Sets of which fewer would be up than their budgets allow if all of that machine went down now, by name: of the others only those count
   * that are up, and have been for long enough. Sets with nothing up on it are not asked: it takes nothing from them.
   */
  shortWithout(machine: MachineId): readonly string[] {
    const { before, stateOf } = this.#input;
    const touched = new Set<ReplicaSet>();
    const steady = new Map<ReplicaSet, number>();
    for (const [unit, sides] of before) {
      const set = this.#setOf(unit);
      for (const side of sides) {
        if (!this.#counts(unit, side.machine)) continue;
        if (side.machine === machine) {
          if (this.#isUp(unit, machine)) touched.add(set);
        } else if (this.#isUp(unit, side.machine) && stateOf(unit, side.machine) === "up") {
          steady.set(set, (steady.get(set) ?? 0) + 1);
        }
      }
    }
    return [...touched]
      .filter((set) => (steady.get(set) ?? 0) < minimumOf(set))
      .map(({ name }) => name)
      .sort();
  }

  /** What these changes do when they are made together; sets they do nothing to are left out. */
  loadsOf(changes: readonly RolloutChange[]): Load[] {
    const loads = new Map<ReplicaSet, Load>();
    for (const change of changes) {
      const set = this.#setOf(change.unit);
      const load = loads.get(set) ?? { set, down: 0, here: 0, up: 0, added: 0, changed: 0 };
      this.#add(load, change);
      loads.set(set, load);
    }
    return [...loads.values()].filter(
      ({ down, here, up, added, changed }) => down + added + changed > 0 || here !== 0 || up !== 0,
    );
  }

  #add(load: Load, { unit, effect, from, to }: RolloutChange): void {
    const isLost = from !== null && this.#input.isAway(from.machine);
    if (load.set.maxParallel !== Number.POSITIVE_INFINITY && !isLost) load.changed += 1;
    const isHere = from !== null && this.#counts(unit, from.machine);
    const wasUp = isHere && this.#isUp(unit, from.machine);
    if (wasUp && TAKES_DOWN.has(effect)) load.down += 1;
    if (wasUp) load.up -= 1;
    if (to === null) {
      const isMissed = this.#isWanted(unit) && !this.#globals.has(unit) && !this.#placed.has(unit);
      if (isHere && !isMissed) load.here -= 1;
      return;
    }
    if (!this.#counts(unit, to.machine)) {
      if (isHere) load.here -= 1;
      return;
    }
    if (!isHere) load.here += 1;
    if (from === null) load.added += 1;
    const staysDown = from !== null && !wasUp && CHANGES_NO_PROCESS.has(effect);
    if (!staysDown && !this.#isOut(to.machine)) load.up += 1;
  }

  #count(): void {
    const { spec, before, after, changes, stateOf } = this.#input;
    for (const { name, goal, options, rollout } of spec.units) {
      const set = this.#setOf(name);
      set.maxUnavailable = Math.min(set.maxUnavailable, rollout.maxUnavailable);
      set.maxParallel = Math.min(set.maxParallel, rollout.maxParallel ?? Number.POSITIVE_INFINITY);
      if (goal !== "inactive" && !options.global) set.wanted += 1;
    }
    for (const { unit, machine } of after) {
      if (this.#globals.has(unit) && this.#counts(unit, machine)) this.#setOf(unit).wanted += 1;
    }
    const changing = new Set(changes.flatMap(({ unit, from }) => (from === null ? [] : [`${unit}/${from.machine}`])));
    for (const [unit, sides] of before) {
      const set = this.#setOf(unit);
      for (const { machine } of sides) {
        if (!this.#counts(unit, machine)) continue;
        set.here += 1;
        if (this.#isUp(unit, machine)) set.now += 1;
        if (this.#isOut(machine)) continue;
        const state = stateOf(unit, machine);
        const isChanging = changing.has(`${unit}/${machine}`);
        if (state === "unknown" || (state !== "up" && !isChanging)) set.isBusy = true;
      }
      set.up = set.now;
    }
  }

  #setOf(unit: UnitName): ReplicaSet {
    const name = replicaSetOf(unit);
    const known = this.#sets.get(name);
    if (known !== undefined) return known;
    const set = {
      name,
      wanted: 0,
      maxUnavailable: Number.POSITIVE_INFINITY,
      now: 0,
      here: 0,
      up: 0,
      taken: 0,
      maxParallel: Number.POSITIVE_INFINITY,
      changing: 0,
      isBusy: false,
    };
    this.#sets.set(name, set);
    return set;
  }

  #isWanted(unit: UnitName): boolean {
    const goal = this.#units.get(unit)?.goal ?? "inactive";
    return goal !== "inactive";
  }

  #counts(unit: UnitName, machine: MachineId): boolean {
    return !(this.#globals.has(unit) && this.#input.isAway(machine)) || this.#isLeaving(machine);
  }

  /** One that restarts is missed also where it takes a global unit along: others wait for it to come back. */
  #isLeaving(machine: MachineId): boolean {
    return this.#input.isLeaving?.(machine) === true;
  }

  #isOut(machine: MachineId): boolean {
    return this.#input.isAway(machine) || this.#isLeaving(machine);
  }

  #isUp(unit: UnitName, machine: MachineId): boolean {
    if (this.#isOut(machine)) return false;
    return RUNS.has(this.#input.stateOf(unit, machine));
  }
}

/** As the commit has it, and units it no longer has as they were. */
function globalsOf(released: ClusterSpec | null, spec: ClusterSpec): ReadonlySet<UnitName> {
  const globals = new Set<UnitName>();
  for (const { name, options } of released?.units ?? []) if (options.global) globals.add(name);
  for (const { name, options } of spec.units) {
    if (options.global) globals.add(name);
    else globals.delete(name);
  }
  return globals;
}
