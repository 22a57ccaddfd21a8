import { RolloutOrderCommand, rolloutOrderFlags } from "../../rollout-order-command.ts";

export default class RolloutAbortCommand extends RolloutOrderCommand {
  static override summary = "End the rollout of the release in force where it is";
  static override description =
    "What it has changed stays as it is, and nothing more is changed until another release is applied. To go back, revert the commit and apply that.";
  static override examples = ["fleet rollout abort --reason 'not on a Friday'"];
  static override flags = rolloutOrderFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(RolloutAbortCommand);
    await this.give("abort", flags);
  }
}
