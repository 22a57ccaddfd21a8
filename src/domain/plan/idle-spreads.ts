import type { Machine } from "../cluster/machine.ts";
import type { Diagnostic } from "../diagnostic.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { closestName } from "../unit/closest-name.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";

/**
 * Replicas that are to be spread over a key which no machine of the cluster has: a wish that nothing follows from, and most likely a slip.
 * Each set and key once, in the order of units. A rule (`hard`) leaves them unplaced, which says it loudly enough.
 */
export function idleSpreads(spec: ClusterSpec, machines: readonly Machine[]): readonly Diagnostic[] {
  if (machines.length === 0) return [];
  const known = new Set(machines.flatMap(({ metadata }) => Object.keys(metadata)));
  const told = new Set<string>();
  return spec.units.flatMap((unit) => {
    const { spread } = unit.options;
    if (spread === undefined || spread.hard || unit.goal === "inactive" || known.has(spread.key)) return [];
    const set = replicaSetOf(unit.name);
    const seen = `${set} ${spread.key}`;
    if (told.has(seen)) return [];
    told.add(seen);
    const meant = closestName(spread.key, known);
    const saw = `Spread=${spread.key} in ${set}, while no machine of the cluster has ${spread.key} in its metadata`;
    const next = meant === null ? `give the machines a ${spread.key}` : `did you mean ${meant}?`;
    return [{ code: "spread-without-key", severity: "warning", at: whereSpread(unit), saw, next } as const];
  });
}

function whereSpread({ fragment, dropins }: SpecUnit): NonNullable<Diagnostic["at"]> {
  const [file, ...others] = [fragment, ...dropins].map(({ path, text }) => parseUnitFile(path, text).file);
  return effectiveUnit(file!, others).last("X-Fleet", "Spread")?.at ?? { path: fragment.path };
}
