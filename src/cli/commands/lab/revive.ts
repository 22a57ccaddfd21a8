import { Args } from "@oclif/core";
import { labRevive } from "../../../lab/lab.ts";
import { BaseCommand } from "../../base-command.ts";
import { labFlags } from "../../lab-flags.ts";

export default class LabReviveCommand extends BaseCommand {
  static override summary = "Boot a machine that was killed";
  static override examples = ["fleet lab revive m2"];
  static override args = { machine: Args.string({ required: true }) };
  static override flags = labFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabReviveCommand);
    await labRevive(flags.name, args.machine);
    this.print(`${args.machine} is on`);
  }
}
