import { compareText, type MachineId, type UnitName } from "../names.ts";
import { indexGlobs } from "../placement/glob-index.ts";
import type { Effect } from "../plan/plan.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { type CanaryGate, canaryGates } from "./canary-gates.ts";
import type { EdgeRank, StepEdge } from "./order-steps.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";
import type { Load, ReplicaSet } from "./replica-sets.ts";

const STARTS: ReadonlySet<Effect> = new Set(["start", "restart", "move"]);
const LETS_GO: ReadonlySet<Effect> = new Set(["stop", "restart", "move"]);

/** By machine: the steps in which a unit is started, stopped, or leaves. */
type Sides = Map<UnitName, Map<MachineId, number>>;

/**
 * What of one step must wait for what of another. Nodes below the number of steps are steps; the others are meeting points, so that
 * many that wait for many cost their sum and not their product.
 */
export class StepEdges {
  readonly edges: StepEdge[] = [];
  /** Number of nodes. */
  size: number;
  /** What waits for canaries, by the node it waits at. */
  readonly gates = new Map<number, CanaryGate>();
  readonly #steps: readonly (readonly RolloutChange[])[];
  readonly #input: RolloutInput;
  readonly #units: ReadonlyMap<UnitName, SpecUnit>;
  readonly #old: ReadonlyMap<UnitName, SpecUnit>;
  #underWay: number | null = null;

  constructor(steps: readonly (readonly RolloutChange[])[], loads: readonly (readonly Load[])[], input: RolloutInput) {
    this.size = steps.length;
    this.#steps = steps;
    this.#input = input;
    this.#units = unitsOf(input.spec);
    this.#old = input.released === null ? this.#units : unitsOf(input.released);
    this.#orderStarts();
    this.#orderStops();
    const canaries = this.#canariesFirst();
    this.#growFirst(loads, canaries);
    this.#exchangePlaces();
  }

  /**
   * What starts after another waits until that is done, on another machine for a later wave; on the same one systemd keeps the order.
   * Of a global unit the copy on the same machine is meant, and all copies where there is none.
   */
  #orderStarts(): void {
    const starts = this.#sides(({ effect, to }) => (STARTS.has(effect) ? (to?.machine ?? null) : null));
    const placed = machinesByUnit(this.#input.after);
    const everyCopy = new Map<UnitName, number>();
    for (const [unit, sides] of starts) {
      for (const earlier of this.#units.get(unit)?.after ?? []) {
        const first = starts.get(earlier);
        for (const [machine, node] of sides) {
          if (placed.get(earlier)?.has(machine)) this.#add(first?.get(machine), node, false, "order");
          else if (first !== undefined)
            this.#add(this.#meeting(everyCopy, earlier, first, "from"), node, true, "order");
          else if (this.#isStarting(earlier)) this.#add(this.#wave(), node, true, "order");
        }
      }
    }
  }

  /** What starts after another is stopped, or changed so that it no longer needs it, before that other is stopped. */
  #orderStops(): void {
    const stops = this.#sides(({ effect, from }) => (effect === "stop" ? (from?.machine ?? null) : null));
    if (stops.size === 0) return;
    const lettingGo = this.#sides(({ effect, from }) => (LETS_GO.has(effect) ? (from?.machine ?? null) : null));
    const everyCopy = new Map<UnitName, number>();
    for (const [unit, sides] of lettingGo) {
      for (const earlier of this.#old.get(unit)?.after ?? []) {
        const last = stops.get(earlier);
        if (last === undefined) continue;
        const was = this.#input.before.get(earlier) ?? [];
        for (const [machine, node] of sides) {
          if (was.some((side) => side.machine === machine)) this.#add(node, last.get(machine), false, "order");
          else this.#add(node, this.#meeting(everyCopy, earlier, last, "to"), true, "order");
        }
      }
    }
  }

  /** Canaries are changed in waves before the others of their set. Returns the steps that change them. */
  #canariesFirst(): ReadonlySet<number> {
    for (const gate of canaryGates(this.#steps, this.#input)) {
      const node = this.#newNode();
      this.gates.set(node, gate);
      for (const first of gate.first) this.#add(first, node, true, "canary-done");
      for (const other of gate.others) this.#add(node, other, false, "canary");
    }
    return new Set([...this.gates.values()].flatMap(({ first }) => first));
  }

  /**
   * New replicas of a set are up before old ones go down, for good or for a while: where they fail, the old ones still run. But canaries
   * wait for none of them: what is new of their set waits for the canaries.
   */
  #growFirst(loads: readonly (readonly Load[])[], canaries: ReadonlySet<number>): void {
    const growing = new Map<ReplicaSet, number>();
    loads.forEach((list, node) => {
      for (const { set, added } of list) {
        if (added === 0) continue;
        const meeting = growing.get(set) ?? this.#newNode();
        growing.set(set, meeting);
        this.#add(node, meeting, false, "growth");
      }
    });
    if (growing.size === 0) return;
    loads.forEach((list, node) => {
      if (canaries.has(node)) return;
      for (const { set, added, down } of list) {
        if (down > 0 && added === 0) this.#add(growing.get(set), node, true, "growth");
      }
    });
  }

  /**
   * Who conflicts with a newcomer or is replaced by it has left the machine when it comes, at the latest in the same wave. By the word of both
   * commits: the one that leaves may run by the older. One that stays and becomes another there leaves as the one and comes as the other.
   */
  #exchangePlaces(): void {
    const sides = new Map<MachineId, ExchangeSides>();
    const add = (side: keyof ExchangeSides, machine: MachineId, unit: UnitName, node: number) => {
      const known = sides.get(machine) ?? { leaving: [], coming: [], changing: [] };
      sides.set(machine, known);
      known[side].push({ unit, node });
    };
    this.#steps.forEach((step, node) => {
      for (const { unit, from, to } of step) {
        if (from !== null && from.machine === to?.machine) {
          if (this.#mindsOthers(unit)) add("changing", from.machine, unit, node);
          continue;
        }
        if (from !== null) add("leaving", from.machine, unit, node);
        if (to !== null) add("coming", to.machine, unit, node);
      }
    });
    for (const [, { leaving, coming, changing }] of [...sides].sort(([a], [b]) => compareText(a, b))) {
      this.#exchange(leaving, [...coming, ...changing]);
      this.#exchange(changing, coming);
    }
  }

  /** Whether it may share a machine with other units by the one commit than by the other. */
  #mindsOthers(unit: UnitName): boolean {
    const [old, now] = [this.#old.get(unit), this.#units.get(unit)];
    return old !== undefined && now !== undefined && globsOf(old).join(" ") !== globsOf(now).join(" ");
  }

  #exchange(leaving: readonly Exchanged[], coming: readonly Exchanged[]) {
    if (leaving.length === 0 || coming.length === 0) return;
    const all = [...leaving, ...coming].sort((a, b) => compareText(a.unit, b.unit));
    const isLeaving = new Set(leaving);
    const minded = ({ unit }: Exchanged) =>
      [this.#units.get(unit), this.#old.get(unit)].flatMap((one) => (one === undefined ? [] : globsOf(one)));
    const globs = indexGlobs(
      all.map(({ unit }) => unit),
      (number) => minded(all[number]!),
    );
    for (const { declaredBy, matches } of globs) {
      const meet = (before: readonly number[], after: readonly number[]) => {
        const goers = before.map((number) => all[number]!).filter((one) => isLeaving.has(one));
        const comers = after.map((number) => all[number]!).filter((one) => !isLeaving.has(one));
        if (goers.length === 0 || comers.length === 0) return;
        const meeting = this.#newNode();
        for (const { node } of goers) this.#add(node, meeting, false, "exchange");
        for (const { node } of comers) this.#add(meeting, node, false, "exchange");
      };
      meet(declaredBy, matches);
      meet(matches, declaredBy);
    }
  }

  #sides(machineOf: (change: RolloutChange) => MachineId | null): Sides {
    const sides: Sides = new Map();
    this.#steps.forEach((step, node) => {
      for (const change of step) {
        const machine = machineOf(change);
        if (machine === null) continue;
        const known = sides.get(change.unit);
        if (known === undefined) sides.set(change.unit, new Map([[machine, node]]));
        else known.set(machine, node);
      }
    });
    return sides;
  }

  /** The only step of a unit, or a node that stands for all of them. */
  #meeting(
    known: Map<UnitName, number>,
    unit: UnitName,
    sides: ReadonlyMap<MachineId, number>,
    end: "from" | "to",
  ): number {
    const nodes = new Set(sides.values());
    const meeting = known.get(unit) ?? (nodes.size === 1 ? [...nodes][0]! : this.#newNode());
    if (known.has(unit)) return meeting;
    known.set(unit, meeting);
    for (const node of nodes) {
      if (end === "from") this.#add(node, meeting, false, "order");
      else this.#add(meeting, node, false, "order");
    }
    return meeting;
  }

  /** It was changed before, and is not up yet. */
  #isStarting(unit: UnitName): boolean {
    const { before, isAway, stateOf } = this.#input;
    const sides = before.get(unit) ?? [];
    return sides.some(({ machine }) => !isAway(machine) && stateOf(unit, machine) === "starting");
  }

  /** What is under way already, as a node: done with the first wave. */
  #wave(): number {
    this.#underWay ??= this.#newNode();
    return this.#underWay;
  }

  #newNode(): number {
    this.size += 1;
    return this.size - 1;
  }

  #add(from: number | undefined, to: number | undefined, later: boolean, rank: EdgeRank): void {
    if (from === undefined || to === undefined || from === to) return;
    this.edges.push({ from, to, later, rank });
  }
}

interface Exchanged {
  readonly unit: UnitName;
  readonly node: number;
}

/** Of one machine. `changing`: what stays there and becomes another. */
interface ExchangeSides {
  readonly leaving: Exchanged[];
  readonly coming: Exchanged[];
  readonly changing: Exchanged[];
}

function globsOf({ options }: SpecUnit): readonly string[] {
  return [...options.conflicts, ...options.replaces];
}

function unitsOf(spec: ClusterSpec): ReadonlyMap<UnitName, SpecUnit> {
  return new Map(spec.units.map((unit) => [unit.name, unit]));
}

function machinesByUnit(
  placements: readonly { readonly unit: UnitName; readonly machine: MachineId }[],
): ReadonlyMap<UnitName, ReadonlySet<MachineId>> {
  const machines = new Map<UnitName, Set<MachineId>>();
  for (const { unit, machine } of placements) {
    const known = machines.get(unit);
    if (known === undefined) machines.set(unit, new Set([machine]));
    else known.add(machine);
  }
  return machines;
}
