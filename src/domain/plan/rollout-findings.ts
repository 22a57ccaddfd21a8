import type { Machine } from "../cluster/machine.ts";
import { matchesSelector, printSelector } from "../cluster/selector.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { Placement } from "../placement/placement.ts";
import { ringOf } from "../rollout/rings.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";

/** What of canaries and rings comes to nothing on the machines there are: wishes that nothing follows from, and most likely slips. */
export function rolloutFindings(
  spec: ClusterSpec,
  machines: readonly Machine[],
  placements: readonly Placement[],
): readonly Diagnostic[] {
  if (machines.length === 0) return [];
  return [...canaryFindings(spec, machines, placements), ...ringFindings(spec, machines)];
}

function canaryFindings(
  spec: ClusterSpec,
  machines: readonly Machine[],
  placements: readonly Placement[],
): readonly Diagnostic[] {
  const byId = new Map(machines.map((machine) => [machine.id, machine]));
  const replicas = Map.groupBy(placements, ({ unit }) => replicaSetOf(unit));
  const told = new Set<string>();
  return spec.units.flatMap((unit): readonly Diagnostic[] => {
    const set = replicaSetOf(unit.name);
    const { canary } = unit.rollout;
    const own = replicas.get(set) ?? [];
    if (canary === undefined || told.has(set)) return [];
    told.add(set);
    if (own.length === 0) return [];
    if ("count" in canary) {
      const isEverything = unit.options.global && own.length > 1 && canary.count >= own.length;
      return isEverything ? [canaryAll(set, String(canary.count), own.length)] : [];
    }
    const text = printSelector(canary.match);
    const matched = own.filter(({ machine }) => byId.has(machine) && matchesSelector(canary.match, byId.get(machine)!));
    if (matched.length === 0) return [canaryNone(set, text, unit)];
    return matched.length === own.length && own.length > 1 ? [canaryAll(set, text, own.length)] : [];
  });
}

function canaryNone(set: string, text: string, unit: SpecUnit): Diagnostic {
  const saw = `canary: ${text} for ${set}, while no machine that matches has one of them`;
  const next = unit.options.global ? "give a machine that metadata" : "let one be placed there, or use a number";
  return { code: "canary-none", severity: "warning", saw, next };
}

function canaryAll(set: string, text: string, count: number): Diagnostic {
  const saw = `canary: ${text} for ${set}, which is all ${count} of its replicas: none is left to follow them`;
  return { code: "canary-all", severity: "warning", saw, next: "fewer canaries, or none" };
}

function ringFindings({ rings = [] }: ClusterSpec, machines: readonly Machine[]): readonly Diagnostic[] {
  const inhabited = new Set(machines.map((machine) => ringOf(rings, machine)));
  return rings.flatMap(({ name, match }, index): readonly Diagnostic[] => {
    // `*` at the end is for machines that are yet to come.
    if (inhabited.has(index) || match === null) return [];
    const saw = `the ring ${name}, in which no machine of the cluster is`;
    return [{ code: "ring-empty", severity: "warning", saw, next: "give machines that metadata, or remove the ring" }];
  });
}
