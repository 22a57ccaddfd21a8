import { editingArgs, editingFlags } from "../editing-command.ts";
import { UnitsCommand } from "../units-command.ts";

export default class DestroyCommand extends UnitsCommand {
  static override summary = "Remove units from the repository: files, drop-ins and what the manifest says of them";
  static override description =
    "Of an instance of a template, that instance. Shows the diff and the plan; a cluster changes by a commit alone, and git has what was removed.";
  static override examples = ["fleet destroy web.service --commit"];
  static override strict = false;
  static override args = editingArgs;
  static override flags = editingFlags;

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(DestroyCommand);
    await this.tell("destroy", flags, argv);
  }
}
