import type { SourceLocation } from "../diagnostic.ts";
import { compareText, type UnitName } from "../names.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { Change } from "./plan.ts";

/** A unit of the commit that names another which this commit removes: from then on the name means a host unit, or nothing. */
export interface BrokenReference {
  /** The one that goes. */
  readonly removed: UnitName;
  readonly by: UnitName;
  /** The directive, such as `Requires`. */
  readonly key: string;
  readonly at: SourceLocation;
}

/** The directives of [Unit] that name units. Without their target the first four fail or stop the unit, the others do without. */
const NAMING: ReadonlySet<string> = new Set(
  [
    "Requires",
    "Requisite",
    "BindsTo",
    "PartOf",
    "Wants",
    "Upholds",
    "After",
    "Before",
    "OnFailure",
    "OnSuccess",
  ].concat([
    "PropagatesReloadTo",
    "ReloadPropagatedFrom",
    "PropagatesStopTo",
    "StopPropagatedFrom",
    "JoinsNamespaceOf",
  ]),
);

/** What this commit's own removals leave without a target. Sorted by the removed unit, then by who names it. */
export function brokenReferences(changes: readonly Change[], spec: ClusterSpec): BrokenReference[] {
  const removed = changes.filter((change) => change.reason.code === "gone-from-commit").map((change) => change.unit);
  const names = [...new Set(removed)].sort();
  if (names.length === 0) return [];
  const gone = new Set<string>(names);
  const found = spec.units.flatMap((unit) => (mentionsAny(unit, names) ? referencesOf(unit, gone) : []));
  return found.sort(
    (a, b) => compareText(a.removed, b.removed) || compareText(a.by, b.by) || compareText(a.key, b.key),
  );
}

/** Parsing twenty thousand units for one removal would cost more than the plan. */
function mentionsAny(unit: SpecUnit, names: readonly UnitName[]): boolean {
  const texts = [unit.fragment, ...unit.dropins].map((file) => file.text);
  return names.some((name) => texts.some((text) => text.includes(name)));
}

function referencesOf(unit: SpecUnit, gone: ReadonlySet<string>): BrokenReference[] {
  const read = ({ path, text }: { readonly path: string; readonly text: string }) => parseUnitFile(path, text).file;
  const effective = effectiveUnit(read(unit.fragment), unit.dropins.map(read));
  return effective
    .assignments("Unit")
    .filter(({ key }) => NAMING.has(key))
    .flatMap(({ key, value, at }) => {
      const names = value.split(/\s+/).filter((name) => gone.has(name));
      return [...new Set(names)].map((name) => ({ removed: name as UnitName, by: unit.name, key, at }));
    });
}
