import { Args } from "@oclif/core";
import { labCable } from "../../../lab/lab.ts";
import { BaseCommand } from "../../base-command.ts";
import { labFlags } from "../../lab-flags.ts";

export default class LabCableCommand extends BaseCommand {
  static override summary = "Pull a machine's network cable (down), or put it back (up)";
  static override examples = ["fleet lab cable m2 down"];
  static override args = {
    machine: Args.string({ required: true }),
    cable: Args.string({ required: true, options: ["up", "down"] }),
  };
  static override flags = labFlags;

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LabCableCommand);
    const isUp = args.cable === "up";
    await labCable(flags.name, args.machine, isUp ? "up" : "down");
    this.print(`the cable of ${args.machine} is ${isUp ? "in" : "out"}`);
  }
}
