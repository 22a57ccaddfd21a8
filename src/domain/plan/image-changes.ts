import { compareText, type UnitName } from "../names.ts";
import { imageOf, isPinned } from "../quadlet/quadlet-images.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { Plan } from "./plan.ts";

/** The image of a quadlet that the plan changes. A machine's own drop-ins are not looked at. */
export interface ImageChange {
  readonly unit: UnitName;
  /** Null where the unit is new, or had none of its own. */
  readonly from: string | null;
  /** Null where the unit goes, or has none of its own any more. */
  readonly to: string | null;
  /** A digest says which image `to` is; else whoever pushes under its name decides. */
  readonly pinned: boolean;
}

/** Of quadlets among the plan's changes, those with another image than the release in force has, sorted by unit. Null: that one is not known. */
export function imageChanges(
  plan: Pick<Plan, "changes">,
  spec: Pick<ClusterSpec, "units">,
  released: Pick<ClusterSpec, "units"> | null,
): ImageChange[] {
  const changed = new Set(plan.changes.map(({ unit }) => unit));
  const [before, after] = [imagesOf(released?.units ?? [], changed), imagesOf(spec.units, changed)];
  return [...new Set([...before.keys(), ...after.keys()])].sort(compareText).flatMap((unit) => {
    const [from, to] = [before.get(unit) ?? null, after.get(unit) ?? null];
    return from === to ? [] : [{ unit, from, to, pinned: to !== null && isPinned(to) }];
  });
}

function imagesOf(units: readonly SpecUnit[], changed: ReadonlySet<UnitName>): Map<UnitName, string> {
  const images = new Map<UnitName, string>();
  for (const { name, kind, fragment, dropins } of units) {
    if (kind !== "quadlet" || !changed.has(name)) continue;
    const read = ({ path, text }: { readonly path: string; readonly text: string }) => parseUnitFile(path, text).file;
    const found = imageOf(name, effectiveUnit(read(fragment), dropins.map(read)));
    if (found !== null) images.set(name, found.image);
  }
  return images;
}
