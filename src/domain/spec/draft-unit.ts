import type { Resources } from "../cluster/resources.ts";
import type { UnitName } from "../names.ts";
import type { EffectiveUnit } from "../unit/effective-unit.ts";
import type { FleetOptions } from "../unit/fleet-options.ts";
import type { OnDisconnect } from "../unit/on-disconnect.ts";
import type { ReplaceOption } from "../unit/replace-option.ts";
import type { UnitTies } from "../unit/unit-ties.ts";
import type { SpecDropin, SpecFile } from "./cluster-spec.ts";
import type { DeliveredFile } from "./delivered-file.ts";
import type { Located, UnitSettings } from "./manifest.ts";

/** A unit (or template) on its way into the spec: what its files and the manifest say, before it is compared with others. */
export interface DraftUnit {
  readonly name: UnitName;
  readonly service: UnitName;
  /** The template its fragment is, or null where it has a file of its own. */
  readonly template: UnitName | null;
  readonly fragment: SpecFile;
  readonly dropins: readonly SpecDropin[];
  /** What it reads; sorted by name. */
  readonly files: readonly DeliveredFile[];
  readonly settings: UnitSettings;
  readonly effective: EffectiveUnit;
  readonly options: FleetOptions;
  /** What it asks of its machine; null: nothing. */
  readonly requests: Resources | null;
  /** Whether somebody said `Move=auto` or `Move=never`, in the unit or the manifest. */
  readonly move: "auto" | "never" | null;
  /** That it runs at most once, and who says so; null where it is kept. */
  readonly onDisconnect: Located<Exclude<OnDisconnect, "keep">> | null;
  /** What the unit or the manifest says of being placed anew; null: nothing. */
  readonly replace: ReplaceOption | null;
  readonly ties: UnitTies;
}

/** Whether there is such a unit, by any name another unit may call it, and what it is really called. */
export type NameLookup = (name: UnitName) => { readonly name: UnitName } | null;

/** Every unit of the commit by any name another unit may call it: its own, and its service's. */
export type UnitLookup = (name: UnitName) => DraftUnit | null;

export function unitLookup(units: readonly DraftUnit[]): UnitLookup {
  const byName = new Map<UnitName, DraftUnit>();
  for (const unit of units) byName.set(unit.service, unit);
  for (const unit of units) byName.set(unit.name, unit);
  return (name) => byName.get(name) ?? null;
}
