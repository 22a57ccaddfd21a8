import type { MachineId, UnitName } from "../domain/names.ts";
import type { Change, Plan, Side } from "../domain/plan/plan.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { filesOnMachine, type SourcedFile } from "../domain/spec/unit-on-machine.ts";
import { effectiveUnit } from "../domain/unit/effective-unit.ts";
import { parseUnitFile } from "../domain/unit/parse-unit-file.ts";
import { type EffectiveLine, printEffectiveUnit } from "../domain/unit/print-effective-unit.ts";

/** What changes of units as systemd reads them; null where there is none on that side. */
export interface UnitDiff {
  /** Units of which the very same changes, such as the instances of a template; sorted. */
  readonly units: readonly string[];
  readonly before: readonly EffectiveLine[] | null;
  readonly after: readonly EffectiveLine[] | null;
}

/**
 * The units behind a plan's changes, after templates, drop-ins and the machine's own, and of templates that travel along. `released` is
 * the release's commit compiled, or null where this repository does not have it: then nothing is known of before. A unit that
 * only moves is the same unit.
 */
export function diffPlan(plan: Plan, spec: ClusterSpec, released: ClusterSpec | null): UnitDiff[] {
  const names = new Map(plan.machines.map((machine) => [machine.id, machine.name]));
  const folded = new Map<string, { units: Set<string>; diff: Omit<UnitDiff, "units"> }>();
  for (const change of plan.changes) {
    const before = textsOf(change, change.from, names, released);
    const after = textsOf(change, change.to, names, spec);
    for (const unit of [...new Set([...before.keys(), ...after.keys()])].sort()) {
      const diff = { before: before.get(unit) ?? null, after: after.get(unit) ?? null };
      const key = JSON.stringify([linesOf(diff.before), linesOf(diff.after)]);
      if (JSON.stringify(linesOf(diff.before)) === JSON.stringify(linesOf(diff.after))) continue;
      const known = folded.get(key);
      if (known === undefined) folded.set(key, { units: new Set([unit]), diff });
      else known.units.add(unit);
    }
  }
  return [...folded.values()].map(({ units, diff }) => ({ units: [...units].sort(), ...diff }));
}

function linesOf(lines: readonly EffectiveLine[] | null): readonly string[] | null {
  return lines?.map((line) => line.text) ?? null;
}

/** By the name of the unit: its own and that of each template that travels along. */
function textsOf(
  { unit }: Change,
  side: Side | null,
  names: ReadonlyMap<MachineId, string>,
  spec: ClusterSpec | null,
): ReadonlyMap<string, readonly EffectiveLine[]> {
  const found = side === null ? undefined : spec?.units.find((other) => other.name === unit);
  if (side === null || spec === null || found === undefined) return new Map();
  const files = filesOnMachine(found, names.get(side.machine) ?? null, spec);
  const units = [found.name, ...found.companions.map((companion) => companion.name)];
  return new Map(units.map((name) => [name, effectiveLines(name, files)]));
}

function effectiveLines(name: UnitName, files: readonly SourcedFile[]): readonly EffectiveLine[] {
  const read = ({ source, text }: SourcedFile) => parseUnitFile(source, text).file;
  const fragment = files.filter((file) => file.path === name).map(read);
  const dropins = files.filter((file) => file.path.startsWith(`${name}.d/`)).map(read);
  return printEffectiveUnit(effectiveUnit(fragment[0]!, dropins));
}
