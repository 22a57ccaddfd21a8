import { InvariantError } from "../invariant.ts";
import { compareText } from "../names.ts";
import { machineOf } from "../plan/diff-placements.ts";
import type { CanaryGate } from "./canary-gates.ts";
import { NumberHeap } from "./number-heap.ts";
import type { StepNode } from "./order-steps.ts";
import type { Rollout, RolloutChange } from "./plan-rollout.ts";
import { fits, type Load, minimumOf, type ReplicaSet, sizeOf, slackOf } from "./replica-sets.ts";
import type { BudgetRefusal, Wave, WaveBudget, WaveGate } from "./wave.ts";

interface FirstWave {
  readonly going: readonly RolloutChange[];
  readonly waiting: readonly RolloutChange[];
  /** Of sets whose canaries are all changed, and not baked. */
  readonly gates: readonly CanaryGate[];
}

/** Steps that wait for room in one set, all for the same. */
interface Parked extends Pick<Load, "set" | "down" | "changed"> {
  readonly heap: NumberHeap;
}

/**
 * Goes through the waves. A step that a budget holds back is parked there, by how many it would take down, and looked at again
 * only when the set has room for as many: a template of 10,000 instances does not ask all of them in each of 10,000 waves.
 */
export class WaveMaker {
  readonly #nodes: readonly StepNode[];
  readonly #waitsFor: Int32Array;
  readonly #candidates = new NumberHeap();
  readonly #parked = new Map<ReplicaSet, Map<string, Parked>>();
  /** The heap each candidate was parked in, to ask the next one there. */
  readonly #cameFrom = new Map<number, Parked>();
  /** Gates of canaries whose canaries are changed: by number, first come first. */
  readonly #gates: number[] = [];
  readonly #waves: Wave[] = [];
  readonly #refusals: BudgetRefusal[] = [];
  /** Steps of the wave under way. */
  #accepted: number[] = [];
  /** Nodes that are done in it, meeting points included: what waits for a later wave waits for these. */
  #done: number[] = [];
  /** What has to pass before the wave under way begins. */
  #after: WaveGate | null = null;

  constructor(nodes: readonly StepNode[]) {
    this.#nodes = nodes;
    this.#waitsFor = Int32Array.from(nodes, (node) => node.waitsFor);
    nodes.forEach((node, number) => {
      if (node.waitsFor === 0) this.#become(number);
    });
  }

  all(): Rollout {
    // Canaries that were changed before, and need no bake: in a film they are up.
    for (const number of this.#gates.splice(0)) {
      if (this.#nodes[number]!.gate!.ms === 0) this.#accept(number);
      else this.#gates.push(number);
    }
    let left = this.#nodes.filter((node) => node.changes.length > 0).length;
    while (left > 0) {
      this.#fill();
      if (this.#accepted.length === 0 && this.#done.length === 0) {
        if (this.#gates.length > 0) {
          this.#openGates();
          continue;
        }
        this.#force();
      }
      left -= this.#accepted.length;
      this.#close();
    }
    return { waves: this.#waves, refusals: this.#refusals };
  }

  /**
   * What goes in the first wave without force. Of it, what has to wait for somebody within the wave is among `waiting`, and with it
   * what may be in the same wave and no sooner.
   */
  first(mustWait: (step: readonly RolloutChange[]) => boolean): FirstWave {
    this.#fill();
    const waiting = new Set<number>();
    // Nobody is done before those that go before it.
    for (const number of this.#done) {
      const { changes, next } = this.#nodes[number]!;
      if (!waiting.has(number) && !mustWait(changes)) continue;
      waiting.add(number);
      for (const { node, later } of next) if (!later) waiting.add(node);
    }
    const changesOf = (numbers: readonly number[]) => numbers.flatMap((number) => this.#nodes[number]!.changes);
    return {
      going: changesOf(this.#accepted.filter((number) => !waiting.has(number))),
      waiting: changesOf(this.#accepted.filter((number) => waiting.has(number))),
      gates: this.#gates.map((number) => this.#nodes[number]!.gate!),
    };
  }

  /** Nobody waits for anything else: the shortest bakes are over first, all together. */
  #openGates(): void {
    const gateOf = (number: number) => this.#nodes[number]!.gate!;
    const ms = this.#gates.reduce((least, number) => Math.min(least, gateOf(number).ms), Number.POSITIVE_INFINITY);
    const passed = this.#gates.filter((number) => gateOf(number).ms === ms);
    const left = this.#gates.filter((number) => gateOf(number).ms !== ms);
    this.#gates.splice(0, this.#gates.length, ...left);
    for (const number of passed) this.#accept(number);
    if (ms > 0) this.#after = { kind: "bake", sets: passed.map((number) => gateOf(number).set).sort(), ms };
  }

  #fill(): void {
    for (let number = this.#candidates.pop(); number !== undefined; number = this.#candidates.pop()) {
      const blocking = this.#nodes[number]!.loads.find((load) => !fits(load));
      const origin = this.#cameFrom.get(number);
      this.#cameFrom.delete(number);
      if (blocking === undefined) this.#accept(number);
      else this.#park(number, blocking);
      if (origin !== undefined) this.#unpark(origin);
    }
  }

  #accept(number: number): void {
    const { changes, loads, next } = this.#nodes[number]!;
    for (const { set, down, changed } of loads) {
      set.taken += down;
      set.changing += changed;
    }
    if (changes.length > 0) this.#accepted.push(number);
    this.#done.push(number);
    for (const { node, later } of next) if (!later) this.#release(node);
  }

  #release(number: number): void {
    this.#waitsFor[number]! -= 1;
    if (this.#waitsFor[number] === 0) this.#become(number);
  }

  /** Nobody is left for whom it waits. */
  #become(number: number): void {
    const { gate, waitsFor } = this.#nodes[number]!;
    if (gate === undefined) this.#candidates.push(number);
    // Without a bake it is enough that its canaries' waves are over. Those behind it take their turn by their own numbers.
    else if (gate.ms === 0 && waitsFor > 0) this.#accept(number);
    else this.#gates.push(number);
  }

  #park(number: number, { set, down, changed }: Load): void {
    const places = this.#parked.get(set) ?? new Map<string, Parked>();
    this.#parked.set(set, places);
    const key = `${down} ${changed}`;
    const place = places.get(key) ?? { set, down, changed, heap: new NumberHeap() };
    places.set(key, place);
    place.heap.push(number);
  }

  /** The first step parked there becomes a candidate if the set has room for it. */
  #unpark(place: Parked): void {
    if (!fits(place)) return;
    const number = place.heap.pop();
    if (number === undefined) return;
    this.#cameFrom.set(number, place);
    this.#candidates.push(number);
  }

  /** Nothing fits: what leaves no set with fewer up than now goes; where there is none, what is refused. */
  #force(): void {
    const blocked = [...this.#parked.values()]
      .flatMap((places) => [...places.values()])
      .flatMap((place) => (place.heap.first === undefined ? [] : [{ place, number: place.heap.first }]))
      .sort((a, b) => a.number - b.number);
    if (blocked.length === 0) throw new InvariantError("steps of a rollout wait for each other in a circle");
    const take = (isAllowed: (load: Load) => boolean) => {
      for (const { place, number } of blocked) {
        const { loads } = this.#nodes[number]!;
        const tight = loads.filter((load) => load.down > 0 && slackOf(load.set) < load.down);
        if (!tight.every(isAllowed) || !loads.every(isWithinParallel)) continue;
        place.heap.pop();
        this.#accept(number);
      }
    };
    take(({ set, down }) => set.up - set.taken - down >= set.now);
    if (this.#accepted.length === 0) take(({ set }) => set.taken === 0);
  }

  #close(): void {
    const steps = this.#accepted.map((number) => this.#nodes[number]!);
    const touched = new Set(steps.flatMap((step) => step.loads.map((load) => load.set)));
    const budgets = [...touched]
      .filter((set) => set.taken > 0 && sizeOf(set) > 0)
      .map((set) => ({ set, budget: budgetOf(set) }))
      .sort((a, b) => compareText(a.budget.set, b.budget.set));
    if (steps.length > 0) {
      const changes = steps
        .flatMap((step) => step.changes.map((change) => ({ unit: change.unit, machine: machineOf(change) })))
        .sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
      const after = this.#after;
      this.#waves.push({ changes, budgets: budgets.map(({ budget }) => budget), ...(after === null ? {} : { after }) });
      this.#after = null;
    }
    for (const { set, budget } of budgets) {
      if (budget.up >= budget.min || budget.up >= set.now) continue;
      this.#refusals.push({ ...budget, wave: this.#waves.length, now: set.now });
    }
    for (const { loads } of steps) {
      for (const { set, here, up } of loads) {
        set.here += here;
        set.up += up;
      }
    }
    for (const set of touched) {
      set.taken = 0;
      set.changing = 0;
    }
    const done = this.#done;
    this.#accepted = [];
    this.#done = [];
    for (const number of done) {
      for (const { node, later } of this.#nodes[number]!.next) if (later) this.#release(node);
    }
    for (const set of touched) for (const place of this.#parked.get(set)?.values() ?? []) this.#unpark(place);
  }
}

/** Also of a set that is busy: a film has to go on. */
function isWithinParallel({ set, changed }: Load): boolean {
  return changed === 0 || set.changing === 0 || set.changing + changed <= set.maxParallel;
}

function budgetOf(set: ReplicaSet): WaveBudget {
  return { set: set.name, up: set.up - set.taken, of: sizeOf(set), min: minimumOf(set) };
}
