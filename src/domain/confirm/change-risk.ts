import type { PlacedUnit } from "../cluster/cluster-snapshot.ts";
import { compareText, type UnitHash, type UnitName } from "../names.ts";
import type { InstalledFile } from "../tasks/task.ts";
import { type NetworkTouch, networkTouch } from "../unit/network-touch.ts";
import { effectOfFiles } from "../unit/unit-effect.ts";
import { CONFIRM_DEFAULT_MS, type ConfirmPolicy } from "./confirm-policy.ts";

/** A change of a machine's units after which it must show that it can still be reached. */
export interface ChangeRisk {
  /** Why: sorted by unit, at least one. */
  readonly units: readonly RiskyUnit[];
  /** The longest time any of them asks for, in milliseconds. */
  readonly withinMs: number;
  /** Every unit the change is about, risky or not; sorted. */
  readonly changed: readonly UnitName[];
}

export interface RiskyUnit {
  readonly unit: UnitName;
  readonly because: RiskReason;
}

export type RiskReason =
  | NetworkTouch
  /** The manifest asks for it, whatever the unit does. */
  | { readonly code: "asked-for" };

/** What is known of a text. */
export interface JudgedText {
  readonly files: readonly InstalledFile[];
  readonly confirm?: ConfirmPolicy;
}

/**
 * Whether going from one set to the other may cut the machine off; null where nothing says so. A change no process notices is no risk, and
 * neither is a text that is not here: nothing can be done with it.
 */
export function changeRisk(
  before: readonly PlacedUnit[],
  after: readonly PlacedUnit[],
  textOf: (hash: UnitHash) => JudgedText | null,
): ChangeRisk | null {
  const [old, next] = [byName(before), byName(after)];
  const changed = changedUnits(old, next);
  const risky = changed.flatMap((unit) => riskOf(unit, old.get(unit), next.get(unit), textOf));
  if (risky.length === 0) return null;
  return {
    units: risky.map(({ unit, because }) => ({ unit, because })),
    withinMs: Math.max(...risky.map(({ withinMs }) => withinMs)),
    changed,
  };
}

export function byName(placements: readonly PlacedUnit[]): ReadonlyMap<UnitName, PlacedUnit> {
  return new Map(placements.map((placed) => [placed.unit, placed]));
}

/** Units that are new, gone, or there with another text or goal; sorted. */
export function changedUnits(
  before: ReadonlyMap<UnitName, PlacedUnit>,
  after: ReadonlyMap<UnitName, PlacedUnit>,
): UnitName[] {
  const names = [...new Set([...before.keys(), ...after.keys()])].sort(compareText);
  return names.filter((unit) => !isSame(before.get(unit) ?? null, after.get(unit) ?? null));
}

export function isSame(a: PlacedUnit | null, b: PlacedUnit | null): boolean {
  return a === null || b === null ? a === b : a.hash === b.hash && a.goal === b.goal;
}

function riskOf(
  unit: UnitName,
  before: PlacedUnit | undefined,
  after: PlacedUnit | undefined,
  textOf: (hash: UnitHash) => JudgedText | null,
): (RiskyUnit & { readonly withinMs: number })[] {
  const old = before === undefined ? null : textOf(before.hash);
  const next = after === undefined ? null : textOf(after.hash);
  if (after !== undefined && next === null) return [];
  const policy = (next ?? old)?.confirm;
  if (policy === "off") return [];
  const isRewritten = old !== null && next !== null && before!.goal === after!.goal;
  if (isRewritten && !REACHES_PROCESSES.has(effectOfFiles(unit, old.files, next.files).effect)) return [];
  if (policy !== undefined) return [{ unit, because: { code: "asked-for" }, withinMs: policy }];
  const because = networkTouch(unit, next?.files ?? []) ?? networkTouch(unit, old?.files ?? []);
  return because === null ? [] : [{ unit, because, withinMs: CONFIRM_DEFAULT_MS }];
}

const REACHES_PROCESSES: ReadonlySet<string> = new Set(["restart", "reload"]);
