import { RolloutOrderCommand, rolloutOrderFlags } from "../../rollout-order-command.ts";

export default class RolloutPauseCommand extends RolloutOrderCommand {
  static override summary = "Stop the rollout of the release in force for now";
  static override description =
    "No further wave begins; what is under way ends, and what is lost is still replaced, in the version the last release that ended well has. fleet rollout resume lets it go on.";
  static override examples = ["fleet rollout pause --reason lunch"];
  static override flags = rolloutOrderFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(RolloutPauseCommand);
    await this.give("pause", flags);
  }
}
