import type { UnitRow } from "./unit-rows.ts";

/** fleetctl's machine column, with the name people gave: `m1/10.77.0.11`; `--full` gives the id instead. */
export function machineText(row: Pick<UnitRow, "machine" | "machineName" | "address">, full: boolean): string {
  if (row.machine === null) return "";
  return [full ? row.machine : row.machineName, row.address].filter(Boolean).join("/");
}
