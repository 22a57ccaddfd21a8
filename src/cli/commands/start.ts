import { Flags } from "@oclif/core";
import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class StartCommand extends UnitsCommand {
  static override summary = "Have units run";
  static override description =
    "The manifest says state: launched; of an instance, one more of its template. A unit whose file is at hand and not in the repository is brought in. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet start web.service --commit"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = {
    ...editingFlags,
    replace: Flags.boolean({ description: "Let a file at hand take the place of the repository's own" }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(StartCommand);
    await this.bring("start", flags, argv);
  }
}
