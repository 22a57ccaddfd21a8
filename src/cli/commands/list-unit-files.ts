import { Flags } from "@oclif/core";
import type { IndexedUnit } from "../../codec/registry-records.ts";
import { LookingCommand, listFlags, lookingFlags } from "../looking-command.ts";
import { machineText } from "../views/machine-text.ts";
import { stateOf, type UnitRow, unitRows } from "../views/unit-rows.ts";

interface FileRow {
  readonly unit: IndexedUnit;
  readonly rows: readonly UnitRow[];
}

export default class ListUnitFilesCommand extends LookingCommand {
  static override summary = "List the release's unit files, wanted state beside actual state";
  static override flags = {
    ...lookingFlags,
    ...listFlags,
    fields: Flags.string({
      description: "unit, hash, dstate, state, target, desc, global, group",
      default: "unit,hash,dstate,state,target",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ListUnitFilesCommand);
    const view = await this.view(flags);
    const rows = unitRows(view);
    const files = view.index.map(
      (unit): FileRow => ({ unit, rows: rows.filter((row) => row.unit === unit.name && row.machine !== null) }),
    );
    if (flags.json) return this.printJson(files);
    const fields: Record<string, (file: FileRow) => string> = {
      unit: ({ unit }) => unit.name,
      hash: ({ unit }) => (flags.full ? unit.hash : unit.hash.slice(0, 7)),
      dstate: ({ unit }) => unit.goal,
      state: ({ rows }) => stateText(rows),
      target: ({ rows }) =>
        rows.length > 1 ? `${rows.length} machines` : rows.map((row) => machineText(row, flags.full)).join(""),
      desc: ({ unit }) => unit.description,
      global: ({ unit }) => String(unit.global),
      group: ({ unit }) => unit.group,
    };
    this.printTable(files, fields, flags);
  }
}

/** One word for a unit on one machine; for a global one how many of its machines are there. */
function stateText(rows: readonly UnitRow[]): string {
  const first = rows[0];
  if (first === undefined) return "inactive";
  const states = new Set(rows.map(stateOf));
  if (states.size === 1) return stateOf(first);
  return `launched ${rows.filter((row) => stateOf(row) === "launched").length}/${rows.length}`;
}
