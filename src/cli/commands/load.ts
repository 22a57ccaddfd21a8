import { Flags } from "@oclif/core";
import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class LoadCommand extends UnitsCommand {
  static override summary = "Place units without starting them; what runs is stopped";
  static override description =
    "The manifest says state: loaded. A unit whose file is at hand and not in the repository is brought in. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet load ./web.service"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = {
    ...editingFlags,
    replace: Flags.boolean({ description: "Let a file at hand take the place of the repository's own" }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(LoadCommand);
    await this.bring("load", flags, argv);
  }
}
