import { RolloutOrderCommand, rolloutOrderFlags } from "../../rollout-order-command.ts";

export default class RolloutResumeCommand extends RolloutOrderCommand {
  static override summary = "Let a rollout go on that is paused, or held because something failed";
  static override description =
    "What failed is not judged again in this rollout: its own replicas wait until it runs, everything else goes on. A release that was rolled back is not tried again: apply a commit that mends it.";
  static override examples = ["fleet rollout resume"];
  static override flags = rolloutOrderFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(RolloutResumeCommand);
    await this.give("resume", flags);
  }
}
