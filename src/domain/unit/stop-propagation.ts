import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "./effective-unit.ts";
import { mountDependencies } from "./mount-dependencies.ts";
import { quadletReferences } from "./quadlet-references.ts";
import { ReferenceReader } from "./unit-reference.ts";

/** systemd.unit(5): a unit with one of these is stopped, and with a restart restarted, together with the unit it names. With old spellings. */
const STOPPED_WITH = [
  "Requires",
  "Requisite",
  "BindsTo",
  "PartOf",
  "StopPropagatedFrom",
  "BindTo",
  "RequiresOverridable",
  "RequisiteOverridable",
];

/** Through whom a stop comes to a unit, and to whom it goes on from there. Names as written, expanded; sorted. */
export interface StopPropagation {
  /** Their stop stops this unit. */
  readonly from: readonly UnitName[];
  /** This unit's stop stops them. */
  readonly to: readonly UnitName[];
}

/** A quadlet requires what it names; what needs a mount point requires the mount. */
export function stopPropagation(name: UnitName, unit: EffectiveUnit): StopPropagation {
  const reader = new ReferenceReader(name, unit);
  const named = reader.list("Unit", ...STOPPED_WITH);
  const implied = [...mountDependencies(name, unit), ...quadletReferences(name, unit, reader)];
  const names = (references: readonly { readonly unit: UnitName }[]) =>
    [...new Set(references.map((reference) => reference.unit))].sort();
  return { from: names([...named, ...implied]), to: names(reader.list("Unit", "PropagatesStopTo")) };
}
