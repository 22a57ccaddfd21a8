import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { compareText, type UnitName } from "../names.ts";
import { byName, type ChangeRisk, isSame } from "./change-risk.ts";

/** A change that was undone because the machine could not be reached after it; kept until it is offered otherwise. */
export interface Refusal {
  /** RFC 3339, by the machine's clock, for people. */
  readonly since: string;
  /** How long nothing was reached, in milliseconds. */
  readonly withinMs: number;
  /** Sorted by unit. */
  readonly units: readonly RefusedUnit[];
  /** Units the change left alone that touch the network as well: what it did to their work is undone by starting them anew. Until done. */
  readonly renew: readonly UnitName[];
}

export interface RefusedUnit {
  readonly unit: UnitName;
  /** What the registry's set has of it, and is not taken; null: that it goes. */
  readonly offered: PlacedUnit | null;
  /** What runs instead; null: nothing. */
  readonly kept: PlacedUnit | null;
  /** Whether the change was on trial for it; the others came along. */
  readonly risky: boolean;
}

/** The refusal of everything that changed from `before` to `after`, with what is still refused of earlier changes. */
export function refuseChange(
  before: readonly PlacedUnit[],
  after: readonly PlacedUnit[],
  risk: ChangeRisk,
  earlier: Refusal | null,
): Pick<Refusal, "withinMs" | "units"> {
  const [old, next] = [byName(before), byName(after)];
  const risky = new Set(risk.units.map(({ unit }) => unit));
  const units = new Map((earlier?.units ?? []).map((one) => [one.unit, one]));
  for (const unit of risk.changed) {
    const [kept, offered] = [old.get(unit) ?? null, next.get(unit) ?? null];
    units.set(unit, { unit, offered, kept, risky: risky.has(unit) });
  }
  const sorted = [...units.values()].sort((a, b) => compareText(a.unit, b.unit));
  return { withinMs: risk.withinMs, units: sorted };
}

/** Whether a set still brings what was refused: as soon as one risky unit of it is offered otherwise, all of it is taken anew. */
export function isStillRefused(refusal: Refusal, offered: readonly PlacedUnit[]): boolean {
  const units = byName(offered);
  return refusal.units.every((one) => !one.risky || isSame(one.offered, units.get(one.unit) ?? null));
}

/** What is to run of a set, with what ran before in place of what is refused of it. */
export function placementsUnder(offered: readonly PlacedUnit[], refusal: Refusal | null): readonly PlacedUnit[] {
  if (refusal === null) return offered;
  const units = new Map(byName(offered));
  for (const { unit, kept, offered: refused } of refusal.units) {
    if (!isSame(units.get(unit) ?? null, refused)) continue;
    if (kept === null) units.delete(unit);
    else units.set(unit, kept);
  }
  return [...units.values()].sort((a, b) => compareText(a.unit, b.unit));
}

/** Units of the set that are not as it has them, and those that run although it leaves them out; sorted by unit. */
export function refusedUnits(offered: readonly PlacedUnit[], refusal: Refusal | null): readonly RefusedUnit[] {
  if (refusal === null) return [];
  const units = byName(offered);
  return refusal.units.filter((one) => isSame(units.get(one.unit) ?? null, one.offered));
}
