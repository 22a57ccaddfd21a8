import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class RestartCommand extends UnitsCommand {
  static override summary = "Restart units once, in the waves of any other change";
  static override description =
    "The manifest says restartedAfter: now; a unit that is only loaded is started. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet restart web.service --commit"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = editingFlags;

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(RestartCommand);
    await this.tell("restart", flags, argv);
  }
}
