import { spawn } from "node:child_process";
import { Args } from "@oclif/core";
import { enterMachine } from "../../../lab/lab.ts";
import { BaseCommand } from "../../base-command.ts";
import { labFlags } from "../../lab-flags.ts";
import { wordsBehindDashes } from "../../words-behind-dashes.ts";

export default class LabExecCommand extends BaseCommand {
  static override summary = "Run a program in a machine of the lab: fleet lab exec m1 -- systemctl status";
  static override examples = ["fleet lab exec m1 -- systemctl status"];
  static override args = { machine: Args.string({ required: true }) };
  static override strict = false;
  static override flags = labFlags;

  async run(): Promise<void> {
    const { own, behind } = wordsBehindDashes(this.argv);
    const { args, argv, flags } = await this.parse(LabExecCommand, own);
    const words = [...enterMachine(flags.name, args.machine), ...argv.slice(1).map(String), ...behind];
    const child = spawn(words[0]!, words.slice(1), { stdio: "inherit" });
    process.exitCode = await new Promise<number>((resolve) => {
      child.once("error", () => resolve(127));
      child.once("exit", (code, signal) => resolve(code ?? (signal === null ? 1 : 128)));
    });
  }
}
