import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import { parseUnitName } from "../domain/unit/unit-name.ts";
import { OperationError } from "../ports/operation-error.ts";
import { chooseUnits, refuseUnknown } from "./choose-units.ts";
import { memberNamed } from "./member-named.ts";
import type { UnitRow } from "./views/unit-rows.ts";

/** A unit on a machine. */
export type Place = Pick<UnitRow, "unit" | "machineName" | "address"> & { readonly machine: MachineId };

/**
 * Where the units of a word are: its name, a template's, a pattern, or one of them with a machine, `web.service@m1`. `machine`: only there.
 * Rejects where there is no such unit, it is placed nowhere, or not on that machine.
 */
export function placesOf(
  word: string,
  rows: readonly UnitRow[],
  members: readonly Member[],
  machine: string | undefined,
): readonly Place[] {
  const { unit, on } = splitPlace(word, rows, machine);
  const { rows: chosen, unknown } = chooseUnits([unit], rows);
  refuseUnknown(unknown);
  const placed = chosen.flatMap((row) => (row.machine === null ? [] : [{ ...row, machine: row.machine }]));
  if (placed.length === 0) throw new OperationError("not-placed", `${unit} is on no machine`, { next: "fleet status" });
  if (on === undefined) return placed;
  const member = memberNamed(on, members);
  const there = placed.filter((row) => row.machine === member.id);
  if (there.length > 0) return there;
  throw new OperationError("not-there", `${unit} is not on ${member.name}`, {
    next: `leave the machine out, or name one of ${placed.map((row) => row.machineName).join(", ")}`,
  });
}

/** What comes behind the last `@` is an instance wherever there is one of that name: `web@m1` is `web@m1.service` first. */
function splitPlace(
  word: string,
  rows: readonly UnitRow[],
  machine: string | undefined,
): { readonly unit: string; readonly on: string | undefined } {
  const at = word.lastIndexOf("@");
  const [unit, on] = [word.slice(0, at), word.slice(at + 1)];
  if (at < 1 || on === "" || machine !== undefined) return { unit: word, on: machine };
  const isWhole = parseUnitName(unit) !== null;
  if (!isWhole && chooseUnits([word], rows).unknown.length === 0) return { unit: word, on: undefined };
  const isUnit = rows.some((row) => row.unit === (unit as UnitName) || row.unit === `${unit}.service`);
  return isWhole || isUnit ? { unit, on } : { unit: word, on: undefined };
}
