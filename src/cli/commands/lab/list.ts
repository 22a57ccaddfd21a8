import { labList } from "../../../lab/lab.ts";
import { BaseCommand, outputFlags } from "../../base-command.ts";
import { labFlags } from "../../lab-flags.ts";
import { table } from "../../views/table.ts";

export default class LabListCommand extends BaseCommand {
  static override summary = "List the lab's machines";
  static override examples = ["fleet lab list"];
  static override flags = { ...labFlags, json: outputFlags.json };

  async run(): Promise<void> {
    const { flags } = await this.parse(LabListCommand);
    const machines = labList(flags.name);
    if (flags.json) this.printJson(machines);
    else
      this.print(
        table(
          ["machine", "ip", "id", "state"],
          machines.map(({ name, address, machineId, alive }) => [name, address, machineId, alive ? "on" : "off"]),
        ),
      );
  }
}
