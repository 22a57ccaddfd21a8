import { Flags } from "@oclif/core";
import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class SubmitCommand extends UnitsCommand {
  static override summary = "Bring unit files into the repository, wanted inactive";
  static override description =
    "A file that is not in the repository comes into its first folder of units; a unit that is there stays what it is. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet submit ./web.service"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = {
    ...editingFlags,
    replace: Flags.boolean({ description: "Let a file at hand take the place of the repository's own" }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(SubmitCommand);
    await this.bring("submit", flags, argv);
  }
}
