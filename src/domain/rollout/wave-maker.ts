import { InvariantError } from "../invariant.ts";
import { compareText } from "../names.ts";
import { machineOf } from "../plan/diff-placements.ts";
import { NumberHeap } from "./number-heap.ts";
import type { StepNode } from "./order-steps.ts";
import type { Rollout, RolloutChange } from "./plan-rollout.ts";
import { type Load, minimumOf, type ReplicaSet, sizeOf, slackOf } from "./replica-sets.ts";
import type { BudgetRefusal, Wave, WaveBudget } from "./wave.ts";

interface FirstWave {
  readonly going: readonly RolloutChange[];
  readonly waiting: readonly RolloutChange[];
}

/**
 * Goes through the waves. A step that a budget holds back is parked there, by how many it would take down, and looked at again
 * only when the set has room for as many: a template of 10,000 instances does not ask all of them in each of 10,000 waves.
 */
export class WaveMaker {
  readonly #nodes: readonly StepNode[];
  readonly #waitsFor: Int32Array;
  readonly #candidates = new NumberHeap();
  readonly #parked = new Map<ReplicaSet, Map<number, NumberHeap>>();
  /** The heap each candidate was parked in, to ask the next one there. */
  readonly #cameFrom = new Map<number, { readonly set: ReplicaSet; readonly down: number }>();
  readonly #waves: Wave[] = [];
  readonly #refusals: BudgetRefusal[] = [];
  /** Steps of the wave under way. */
  #accepted: number[] = [];
  /** Nodes that are done in it, meeting points included: what waits for a later wave waits for these. */
  #done: number[] = [];

  constructor(nodes: readonly StepNode[]) {
    this.#nodes = nodes;
    this.#waitsFor = Int32Array.from(nodes, (node) => node.waitsFor);
    nodes.forEach((node, number) => {
      if (node.waitsFor === 0) this.#candidates.push(number);
    });
  }

  all(): Rollout {
    let left = this.#nodes.filter((node) => node.changes.length > 0).length;
    while (left > 0) {
      this.#fill();
      if (this.#accepted.length === 0 && this.#done.length === 0) this.#force();
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
    };
  }

  #fill(): void {
    for (let number = this.#candidates.pop(); number !== undefined; number = this.#candidates.pop()) {
      const blocking = this.#nodes[number]!.loads.find(({ set, down }) => down > 0 && slackOf(set) < down);
      if (blocking === undefined) this.#accept(number);
      else this.#park(number, blocking);
      const origin = this.#cameFrom.get(number);
      this.#cameFrom.delete(number);
      if (origin !== undefined) this.#unpark(origin.set, origin.down);
    }
  }

  #accept(number: number): void {
    const { changes, loads, next } = this.#nodes[number]!;
    for (const { set, down } of loads) set.taken += down;
    if (changes.length > 0) this.#accepted.push(number);
    this.#done.push(number);
    for (const { node, later } of next) if (!later) this.#release(node);
  }

  #release(number: number): void {
    this.#waitsFor[number]! -= 1;
    if (this.#waitsFor[number] === 0) this.#candidates.push(number);
  }

  #park(number: number, { set, down }: Load): void {
    const heaps = this.#parked.get(set) ?? new Map<number, NumberHeap>();
    const heap = heaps.get(down) ?? new NumberHeap();
    heap.push(number);
    this.#parked.set(set, heaps.set(down, heap));
  }

  /** The first step parked there becomes a candidate if the set has room for it. */
  #unpark(set: ReplicaSet, down: number): void {
    if (slackOf(set) < down) return;
    const number = this.#takeParked(set, down);
    if (number === undefined) return;
    this.#cameFrom.set(number, { set, down });
    this.#candidates.push(number);
  }

  #takeParked(set: ReplicaSet, down: number): number | undefined {
    const heaps = this.#parked.get(set);
    const heap = heaps?.get(down);
    const number = heap?.pop();
    if (heap?.first === undefined) heaps?.delete(down);
    if (heaps?.size === 0) this.#parked.delete(set);
    return number;
  }

  /** Nothing fits: what leaves no set with fewer up than now goes; where there is none, what is refused. */
  #force(): void {
    const blocked = [...this.#parked]
      .flatMap(([set, heaps]) => [...heaps].map(([down, heap]) => ({ set, down, number: heap.first! })))
      .sort((a, b) => a.number - b.number);
    if (blocked.length === 0) throw new InvariantError("steps of a rollout wait for each other in a circle");
    const take = (isAllowed: (load: Load) => boolean) => {
      for (const { set, down, number } of blocked) {
        const tight = this.#nodes[number]!.loads.filter((load) => load.down > 0 && slackOf(load.set) < load.down);
        if (!tight.every(isAllowed)) continue;
        this.#takeParked(set, down);
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
      this.#waves.push({ changes, budgets: budgets.map(({ budget }) => budget) });
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
    for (const set of touched) set.taken = 0;
    const done = this.#done;
    this.#accepted = [];
    this.#done = [];
    for (const number of done) {
      for (const { node, later } of this.#nodes[number]!.next) if (later) this.#release(node);
    }
    for (const set of touched) for (const down of [...(this.#parked.get(set)?.keys() ?? [])]) this.#unpark(set, down);
  }
}

function budgetOf(set: ReplicaSet): WaveBudget {
  return { set: set.name, up: set.up - set.taken, of: sizeOf(set), min: minimumOf(set) };
}
