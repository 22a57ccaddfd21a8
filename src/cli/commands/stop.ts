import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class StopCommand extends UnitsCommand {
  static override summary = "Stop units, and leave them where they are placed";
  static override description =
    "The manifest says state: loaded. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet stop web.service --commit"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = editingFlags;

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(StopCommand);
    await this.tell("stop", flags, argv);
  }
}
