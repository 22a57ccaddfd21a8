import { Flags } from "@oclif/core";
import { LookingCommand, listFlags, lookingFlags } from "../looking-command.ts";
import { machineText } from "../views/machine-text.ts";
import { activeText, type UnitRow, unitRows } from "../views/unit-rows.ts";

export default class ListUnitsCommand extends LookingCommand {
  static override summary = "List the units that are placed, with systemd's word on each";
  static override flags = {
    ...lookingFlags,
    ...listFlags,
    fields: Flags.string({
      description: "unit, machine, load, active, sub, hash, drift",
      default: "unit,machine,active,sub",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ListUnitsCommand);
    const rows = unitRows(await this.view(flags)).filter((row) => row.machine !== null);
    if (flags.json) return this.printJson(rows);
    const fields: Record<string, (row: UnitRow) => string> = {
      unit: (row) => row.unit,
      machine: (row) => machineText(row, flags.full),
      load: (row) => row.load,
      active: activeText,
      sub: (row) => row.sub,
      drift: (row) => row.drift?.outcome ?? "",
      hash: (row) => (flags.full ? (row.hash ?? "") : (row.hash ?? "").slice(0, 7)),
    };
    this.printTable(rows, fields, flags);
  }
}
