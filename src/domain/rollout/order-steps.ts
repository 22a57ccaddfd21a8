import type { CanaryGate } from "./canary-gates.ts";
import { circlesOf } from "./circles-of.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";
import type { Load, ReplicaSets } from "./replica-sets.ts";
import { StepEdges } from "./step-edges.ts";

/** Steps, or (without changes) points at which several steps meet before others go on. By number, in the order of their names. */
export interface StepNode {
  readonly changes: readonly RolloutChange[];
  readonly loads: readonly Load[];
  /** How many edges lead here. */
  readonly waitsFor: number;
  readonly next: readonly { readonly node: number; readonly later: boolean }[];
  /** Where others wait for canaries: it is not passed before these have baked. */
  readonly gate?: CanaryGate;
}

/** `later`: in a later wave; else in the same one at the earliest. */
export interface StepEdge {
  readonly from: number;
  readonly to: number;
  readonly later: boolean;
  readonly rank: EdgeRank;
}

/**
 * What gives way where they contradict each other, last first. `exchange`: what may not share a machine with a newcomer has left it when
 * that comes. `order`: what starts after another, and what stops before it. `canary`: others wait for canaries;
 * where a canary itself waits for one of them, that one goes before it. `growth`: new replicas are up before others go down.
 * `canary-done` leads to nothing but `canary`.
 */
export type EdgeRank = "exchange" | "order" | "canary" | "growth" | "canary-done";

/**
 * The order of steps. Those that exchange places with each other become one. Where groups wait for each other in a circle, no order
 * among them can be kept and none is: the edges of the weakest rank in the circle are left out, all of them, whoever looks.
 */
export function orderSteps(
  steps: readonly (readonly RolloutChange[])[],
  sets: ReplicaSets,
  input: RolloutInput,
): readonly StepNode[] {
  const loads = steps.map((step) => sets.loadsOf(step));
  const { edges, size, gates } = new StepEdges(steps, loads, input);
  const nodeOf = exchanging(size, edges);
  const merged = edges.flatMap((edge) => {
    const [from, to] = [nodeOf(edge.from), nodeOf(edge.to)];
    return from === to ? [] : [{ ...edge, from, to }];
  });
  const kept = (["growth", "canary", "order"] as const).reduce(
    (left, rank) => withoutCircles(size, left, rank),
    merged as readonly StepEdge[],
  );
  const nodes = Array.from({ length: size }, (_, number): Draft => {
    const gate = gates.get(number);
    return { changes: [], loads: [], waitsFor: 0, next: [], ...(gate === undefined ? {} : { gate }) };
  });
  steps.forEach((step, number) => {
    const node = nodes[nodeOf(number)]!;
    const isFirst = node.changes.length === 0;
    node.changes = isFirst ? step : [...node.changes, ...step];
    node.loads = isFirst ? loads[number]! : sets.loadsOf(node.changes);
  });
  for (const { from, to, later } of kept) {
    nodes[to]!.waitsFor += 1;
    nodes[from]!.next.push({ node: to, later });
  }
  return nodes;
}

interface Draft {
  changes: readonly RolloutChange[];
  loads: readonly Load[];
  waitsFor: number;
  readonly next: { readonly node: number; readonly later: boolean }[];
  readonly gate?: CanaryGate;
}

/** Of those that exchange places in a circle, the first stands for all. */
function exchanging(size: number, edges: readonly StepEdge[]): (node: number) => number {
  const exchanges = edges.filter((edge) => edge.rank === "exchange");
  if (exchanges.length === 0) return (node) => node;
  const circles = circlesOf(size, exchanges);
  const first = new Map<number, number>();
  for (let node = 0; node < size; node += 1) if (!first.has(circles[node]!)) first.set(circles[node]!, node);
  return (node) => first.get(circles[node]!)!;
}

function withoutCircles(size: number, edges: readonly StepEdge[], rank: EdgeRank): readonly StepEdge[] {
  if (!edges.some((edge) => edge.rank === rank)) return edges;
  const circles = circlesOf(size, edges);
  return edges.filter((edge) => edge.rank !== rank || circles[edge.from] !== circles[edge.to]);
}
