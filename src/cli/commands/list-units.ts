import { Args, Flags } from "@oclif/core";
import { filterRows } from "../choose-units.ts";
import { type ClusterView, readListView } from "../cluster-view.ts";
import { LookingCommand, listFlags, lookingFlags, watchFlag } from "../looking-command.ts";
import { machineText } from "../views/machine-text.ts";
import { activeText, type UnitRow, unitRows } from "../views/unit-rows.ts";

export default class ListUnitsCommand extends LookingCommand {
  static override summary = "List the units that are placed, with systemd's word on each";
  static override examples = [
    "fleet list-units",
    "fleet list-units 'web@*' --state failed,activating --fields unit,machine,sub",
  ];
  static override args = {
    units: Args.string({ description: "Only these: names, templates or patterns such as 'web@*'; several may follow" }),
  };
  static override strict = false;
  static override flags = {
    ...lookingFlags,
    ...listFlags,
    ...watchFlag,
    fields: Flags.string({
      description: "unit, machine, load, active, sub, hash, drift",
      default: "unit,machine,active,sub",
    }),
    machine: Flags.string({ description: "Only on this machine: its name, its id, or the beginning of its id" }),
    state: Flags.string({
      description: "Only with this load, active or sub state, or one of several: failed,activating",
    }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ListUnitsCommand);
    const rowsOf = (view: ClusterView) =>
      filterRows(unitRows(view), view.snapshot.members, argv.map(String), flags, statesOf).filter(
        (row) => row.machine !== null,
      );
    const fields: Record<string, (row: UnitRow) => string> = {
      unit: (row) => row.unit,
      machine: (row) => machineText(row, flags.full),
      load: (row) => row.load,
      active: activeText,
      sub: (row) => row.sub,
      drift: (row) => row.drift?.outcome ?? "",
      hash: (row) => (flags.full ? (row.hash ?? "") : (row.hash ?? "").slice(0, 7)),
    };
    await this.show(flags, {
      read: readListView,
      once: () => this.viewOrLastSeen(flags),
      json: rowsOf,
      text: (view) => this.tableText(rowsOf(view), fields, flags),
    });
  }
}

/** As `systemctl --state` takes it. */
function statesOf({ load, active, sub }: UnitRow): string[] {
  return [load, active, sub];
}
