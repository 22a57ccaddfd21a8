import type { Machine } from "../cluster/machine.ts";
import { matchesSelector, type Selector } from "../cluster/selector.ts";
import type { MachineId, UnitName } from "../names.ts";
import { type Loss, LossTrials, type StaysDownReason } from "../placement/lose-machines.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";

/** What the loss of machines does to a cluster that is as the plan leaves it, once everything that may move has moved. */
export interface WhatIf {
  /** In the machines' order. */
  readonly lost: readonly MachineId[];
  /** Sorted by unit. Also units that are placed and not started. */
  readonly moves: readonly UnitMove[];
  /** Units that are meant to run (`launched`) and ran nowhere then; sorted. A global unit is up as long as another machine runs it. */
  readonly down: readonly StaysDown[];
  /** Sorted by set. */
  readonly budgets: readonly BrokenBudget[];
}

export interface UnitMove {
  readonly unit: UnitName;
  readonly from: MachineId;
  readonly to: MachineId;
}

export interface StaysDown {
  readonly unit: UnitName;
  readonly because: StaysDownReason;
}

/** Replicas of which the loss takes more at once than their `maxUnavailable`, and that are fewer than before it. */
export interface BrokenBudget {
  /** The template's name, or the unit's own. */
  readonly set: string;
  readonly of: number;
  readonly maxUnavailable: number;
  /** How many are up from the moment of the loss until what may move has moved. */
  readonly atOnce: number;
  /** How many are up then. */
  readonly after: number;
}

/** Answers for one plan: what if these machines were lost. Mutable inside; every answer is the same however often it is asked. */
export class WhatIfs {
  readonly #trials: LossTrials;
  readonly #machines: readonly Machine[];
  readonly #sets: ReadonlyMap<string, Replicas>;
  /** Twenty thousand sets are not to be looked through for each of a thousand machines. */
  readonly #setsOn = new Map<MachineId, Set<string>>();

  /** `placements` as the plan of that spec on those machines has them. */
  constructor(spec: ClusterSpec, machines: readonly Machine[], placements: readonly Placement[]) {
    this.#trials = new LossTrials(spec, machines, placements);
    this.#machines = machines;
    this.#sets = replicasOf(spec, machines, placements);
    for (const { id } of machines) this.#setsOn.set(id, new Set());
    for (const [name, { up }] of this.#sets) for (const machine of up.values()) this.#setsOn.get(machine)!.add(name);
  }

  isCostly(lost: readonly MachineId[]): boolean {
    return this.#trials.isCostly(new Set(lost));
  }

  lose(lost: readonly MachineId[]): WhatIf {
    return this.#whatIf(lost, this.#trials.lose(new Set(lost)));
  }

  /** What a plan made with those machines lost does, beside the one made without. */
  compare(lost: readonly MachineId[], placements: readonly Placement[]): WhatIf {
    return this.#whatIf(lost, this.#trials.compare(new Set(lost), placements));
  }

  /** How many replicas of that set are up, from the moment those machines are lost until what may move has moved. */
  upAtOnce(set: string, lost: readonly MachineId[]): number {
    const up = this.#sets.get(set)?.up ?? new Map();
    return [...up.values()].filter((machine) => !lost.includes(machine)).length;
  }

  #whatIf(lost: readonly MachineId[], loss: Loss): WhatIf {
    const gone = new Set(lost);
    const moves = loss.moved
      .flatMap(({ atom, from, to }) => atom.units.map(({ name }) => ({ unit: name, from, to })))
      .sort(byUnit);
    const down = loss.down
      .flatMap(({ atom, because }) => atom.units.filter(isMeantToRun).map(({ name }) => ({ unit: name, because })))
      .sort(byUnit);
    return {
      lost: this.#machines.filter(({ id }) => gone.has(id)).map(({ id }) => id),
      moves,
      down,
      budgets: this.#budgets(gone, moves),
    };
  }

  #budgets(lost: ReadonlySet<MachineId>, moves: readonly UnitMove[]): BrokenBudget[] {
    const back = new Set(moves.map(({ unit }) => unit));
    const touched = new Set([...lost].flatMap((machine) => [...(this.#setsOn.get(machine) ?? [])]));
    return [...touched].sort().flatMap((set) => {
      const { of, maxUnavailable, up } = this.#sets.get(set)!;
      const taken = [...up].filter(([, machine]) => lost.has(machine));
      const atOnce = up.size - taken.length;
      if (taken.length === 0 || atOnce >= of - maxUnavailable) return [];
      return [{ set, of, maxUnavailable, atOnce, after: atOnce + taken.filter(([unit]) => back.has(unit)).length }];
    });
  }
}

/** The machines any of the selectors means; a selector that means none is returned instead: most likely a typing error. */
export function machinesMeant(
  selectors: readonly Selector[],
  machines: readonly Machine[],
): { readonly machines: readonly MachineId[]; readonly unmatched: readonly Selector[] } {
  return {
    machines: machines.filter((machine) => selectors.some((one) => matchesSelector(one, machine))).map(({ id }) => id),
    unmatched: selectors.filter((one) => !machines.some((machine) => matchesSelector(one, machine))),
  };
}

interface Replicas {
  of: number;
  maxUnavailable: number;
  /** Those on machines that are there, and where. */
  readonly up: Map<UnitName, MachineId>;
}

/** Copies of global units are no replicas that a machine's loss could take from others; sorted by name. */
function replicasOf(
  spec: ClusterSpec,
  machines: readonly Machine[],
  placements: readonly Placement[],
): ReadonlyMap<string, Replicas> {
  const present = new Set(machines.filter(({ presence }) => presence === "present").map(({ id }) => id));
  const places = new Map(placements.map(({ unit, machine }) => [unit, machine]));
  const sets = new Map<string, Replicas>();
  for (const unit of spec.units) {
    if (unit.goal === "inactive" || unit.options.global) continue;
    const name = replicaSetOf(unit.name);
    const set = sets.get(name) ?? { of: 0, maxUnavailable: Number.POSITIVE_INFINITY, up: new Map() };
    sets.set(name, set);
    set.of += 1;
    set.maxUnavailable = Math.min(set.maxUnavailable, unit.rollout.maxUnavailable);
    const place = places.get(unit.name);
    if (place !== undefined && present.has(place)) set.up.set(unit.name, place);
  }
  return new Map([...sets].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function isMeantToRun(unit: SpecUnit): boolean {
  return unit.goal === "launched";
}

function byUnit(a: { readonly unit: UnitName }, b: { readonly unit: UnitName }): number {
  return a.unit < b.unit ? -1 : 1;
}
