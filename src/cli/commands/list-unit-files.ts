import { Args, Flags } from "@oclif/core";
import type { IndexedUnit } from "../../codec/registry-records.ts";
import { filterRows } from "../choose-units.ts";
import { type ClusterView, readListView } from "../cluster-view.ts";
import { LookingCommand, listFlags, lookingFlags, watchFlag } from "../looking-command.ts";
import { machineText } from "../views/machine-text.ts";
import { stateOf, type UnitRow, unitRows } from "../views/unit-rows.ts";

interface FileRow {
  readonly unit: IndexedUnit;
  readonly rows: readonly UnitRow[];
}

export default class ListUnitFilesCommand extends LookingCommand {
  static override summary = "List the release's unit files, wanted state beside actual state";
  static override examples = ["fleet list-unit-files", "fleet list-unit-files --state inactive --full"];
  static override args = {
    units: Args.string({ description: "Only these: names, templates or patterns such as 'web@*'; several may follow" }),
  };
  static override strict = false;
  static override flags = {
    ...lookingFlags,
    ...listFlags,
    ...watchFlag,
    fields: Flags.string({
      description: "unit, hash, dstate, state, target, desc, global, group",
      default: "unit,hash,dstate,state,target",
    }),
    machine: Flags.string({ description: "Only on this machine: its name, its id, or the beginning of its id" }),
    state: Flags.string({ description: "Only in this state, or one of several: inactive, loaded, launched" }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ListUnitFilesCommand);
    const filesOf = (view: ClusterView): FileRow[] => {
      const rows = Map.groupBy(
        filterRows(unitRows(view), view.snapshot.members, argv.map(String), flags, (row) => [stateOf(row)]),
        ({ unit }) => unit,
      );
      return view.index.flatMap((unit) => {
        const own = rows.get(unit.name);
        return own === undefined ? [] : [{ unit, rows: own.filter(({ machine }) => machine !== null) }];
      });
    };
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
      tmachine: (file) => fields.target!(file),
    };
    await this.show(flags, {
      read: readListView,
      once: () => this.viewOrLastSeen(flags),
      json: filesOf,
      text: (view) => this.tableText(filesOf(view), fields, flags),
    });
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
