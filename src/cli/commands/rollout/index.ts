import { OperationError } from "../../../ports/operation-error.ts";
import { LookingCommand, lookingFlags } from "../../looking-command.ts";
import { memberNames } from "../../member-names.ts";
import { rolloutNow } from "../../rollout-now.ts";
import { printable } from "../../views/printable.ts";
import { rolloutText } from "../../views/rollout-text.ts";

export default class RolloutCommand extends LookingCommand {
  static override summary = "Say how far the rollout of the release in force is";
  static override description =
    "Its phase and since when, the ring that is open and what it waits for, what failed and in which words, and what somebody told it last.";
  static override examples = ["fleet rollout"];
  static override aliases = ["rollout:status"];
  static override flags = lookingFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(RolloutCommand);
    const { snapshot, report, leader } = await this.view(flags);
    const nowMs = Date.now();
    const status = rolloutNow(snapshot, report, nowMs);
    if (status === null) throw noRollout(snapshot.release?.seq ?? null, leader !== null);
    if (flags.json) return this.printJson(status);
    const names = memberNames(snapshot);
    const lines = rolloutText(status, (machine) => names.get(machine) ?? machine, nowMs);
    this.print(lines.map(printable).join("\n"));
  }
}

function noRollout(seq: number | null, isLed: boolean): OperationError {
  if (seq === null) {
    return new OperationError("no-release", "nothing has been released to this cluster yet", {
      next: "fleet apply makes the first release",
    });
  }
  return new OperationError("no-rollout", `no engine has begun the rollout of release ${seq}`, {
    next: isLed ? "ask again in a moment" : "fleet doctor, on a machine that has an engine: none leads",
  });
}
