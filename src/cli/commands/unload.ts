import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class UnloadCommand extends UnitsCommand {
  static override summary = "Take units off their machines";
  static override description =
    "The manifest says state: inactive; the file stays. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet unload web.service --commit"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = editingFlags;

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(UnloadCommand);
    await this.tell("unload", flags, argv);
  }
}
