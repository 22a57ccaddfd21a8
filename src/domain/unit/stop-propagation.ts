import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { mountDependencies } from "./mount-dependencies.ts";
import { quadletReferences } from "./quadlet-references.ts";
import { ReferenceReader } from "./unit-reference.ts";

/** systemd.unit(5): a unit with one of these is stopped together with the unit it names, and does not start without it. With old spellings. */
const NEEDS = ["Requires", "Requisite", "BindsTo", "BindTo", "RequiresOverridable", "RequisiteOverridable"];
/** Stopped together, and started alone. */
const FOLLOWS = ["PartOf", "StopPropagatedFrom"];

/** Through whom a stop comes to a unit, and to whom it goes on from there. Names as written, expanded; sorted. */
export interface StopPropagation {
  /** Their stop stops this unit. */
  readonly from: readonly UnitName[];
  /** Those of them without which it does not start again. */
  readonly needs: readonly UnitName[];
  /** This unit's stop stops them. */
  readonly to: readonly UnitName[];
}

/** A quadlet requires what it names; what needs a mount point requires the mount. */
export function stopPropagation(name: UnitName, unit: EffectiveUnit): StopPropagation {
  const reader = new ReferenceReader(name, unit);
  const needed = [
    ...reader.list("Unit", ...NEEDS),
    ...mountDependencies(name, unit),
    ...quadletReferences(name, unit, reader),
  ];
  const names = (references: readonly { readonly unit: UnitName }[]) =>
    [...new Set(references.map((reference) => reference.unit))].sort();
  return {
    from: names([...needed, ...reader.list("Unit", ...FOLLOWS)]),
    needs: names(needed),
    to: names(reader.list("Unit", "PropagatesStopTo")),
  };
}
