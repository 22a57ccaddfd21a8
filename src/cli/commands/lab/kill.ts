import { Args } from "@oclif/core";
import { labKill } from "../../../lab/lab.ts";
import { BaseCommand } from "../../base-command.ts";
import { labFlags } from "../../lab-flags.ts";

export default class LabKillCommand extends BaseCommand {
  static override summary = "Pull the plug of a machine: every process of it ends at once, its disk stays";
  static override examples = ["fleet lab kill m2"];
  static override args = { machine: Args.string({ required: true }) };
  static override flags = labFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabKillCommand);
    await labKill(flags.name, args.machine);
    this.print(`${args.machine} is off`);
  }
}
