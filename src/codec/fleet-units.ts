import type { FoundUnit } from "../domain/edit/edit-units.ts";
import type { UnitName } from "../domain/names.ts";
import type { UnitGoal } from "../domain/spec/cluster-spec.ts";
import { checkUnitName } from "../domain/unit/unit-name.ts";

const GOALS: Readonly<Record<string, UnitGoal>> = { inactive: "inactive", loaded: "loaded", launched: "launched" };

/**
 * Units as CoreOS fleet's API gives them: a page of `/fleet/v1/units`, several of them in a list, or the bare list of units. The text of each
 * is made of its options, as fleet itself made what it wrote. Throws Error where it is none of that, with what it saw.
 */
export function readFleetUnits(text: string): readonly FoundUnit[] {
  const root: unknown = JSON.parse(text);
  const pages = Array.isArray(root) ? root : [root];
  const listed: unknown[] = pages.flatMap((page) =>
    isRecord(page) && Array.isArray(page.units) ? page.units : [page],
  );
  return listed.map(unitFrom);
}

function unitFrom(unit: unknown): FoundUnit {
  if (!isRecord(unit) || typeof unit.name !== "string" || !Array.isArray(unit.options)) {
    throw new Error("something that is no unit with a name and options");
  }
  const checked = checkUnitName(unit.name);
  if ("problem" in checked) throw new Error(checked.problem);
  const goal = typeof unit.desiredState === "string" ? GOALS[unit.desiredState] : undefined;
  return {
    name: checked.name as UnitName,
    bytes: encoded(unit.options, unit.name),
    dropins: new Map(),
    goal: goal ?? null,
  };
}

function encoded(options: readonly unknown[], unit: string): Uint8Array {
  let text = "";
  let current: string | null = null;
  for (const option of options) {
    if (!isRecord(option) || ![option.section, option.name, option.value].every(isLine)) {
      throw new Error(`an option of ${unit} that is no section, name and value of one line each`);
    }
    const { section, name, value } = option as { section: string; name: string; value: string };
    if (section !== current) text += `${text === "" ? "" : "\n"}[${section}]\n`;
    current = section;
    text += `${name}=${value}\n`;
  }
  return new TextEncoder().encode(text);
}

/** A value may go on behind a backslash, as systemd writes such lines. */
function isLine(text: unknown): text is string {
  return typeof text === "string" && !/[\0\r]/.test(text) && !/(^|[^\\])\n/.test(text);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
