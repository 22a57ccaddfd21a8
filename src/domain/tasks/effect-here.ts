import type { UnitHash, UnitName } from "../names.ts";
import { UNIT_EFFECTS, type UnitEffect } from "../unit/unit-effect.ts";
import type { ObservedUnit, WantedUnit } from "./task.ts";

/**
 * What it does to this unit that its text of one hash becomes that of another: "restart" where either text is not known. `text`: what its own
 * text alone does, without the files it reads, of which systemd knows nothing.
 */
export type EffectOf = (unit: UnitName, from: UnitHash, to: UnitHash, of?: "text") => UnitEffect;

/**
 * What it does to a unit of ours, as it is here, to take the wanted text. What counts is the text in force: the one that runs, else the
 * one that was started last (a oneshot that is done, a failure), else the one systemd holds. Where the text on disk is another one, a
 * pass was cut short, and that one may be in force as well: the worse of the two holds.
 */
export function effectHere(unit: ObservedUnit, wanted: WantedUnit, effectOf: EffectOf): UnitEffect {
  const inForce = unit.running ?? unit.started ?? unit.loaded;
  if (inForce === null) return "restart";
  return worseOf(change(inForce, wanted, effectOf), change(unit.onDisk, wanted, effectOf));
}

/**
 * Whether systemd, which holds the unit, must read it again before it means the same as the wanted text. After a write that was cut
 * short somebody may have made it read half of one.
 */
export function isLoadedOld(unit: ObservedUnit, wanted: WantedUnit, effectOf: EffectOf): boolean {
  if (unit.loaded === null || unit.onDisk === null) return true;
  const ofText: EffectOf = (name, from, to) => effectOf(name, from, to, "text");
  return worseOf(change(unit.loaded, wanted, ofText), change(unit.onDisk, wanted, ofText)) !== "quiet";
}

/** A write that was cut short (null) has put nothing in force yet. */
function change(from: UnitHash | null, wanted: WantedUnit, effectOf: EffectOf): UnitEffect {
  return from === null || from === wanted.hash ? "quiet" : effectOf(wanted.name, from, wanted.hash);
}

function worseOf(a: UnitEffect, b: UnitEffect): UnitEffect {
  return UNIT_EFFECTS[Math.min(UNIT_EFFECTS.indexOf(a), UNIT_EFFECTS.indexOf(b))]!;
}
