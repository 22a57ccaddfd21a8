import { userInfo } from "node:os";
import { Flags } from "@oclif/core";
import { parseDuration } from "../../../domain/spec/duration.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { askSync } from "../../../usecases/ask-sync.ts";
import { readSnapshot } from "../../../usecases/read-snapshot.ts";
import { refuseOtherDriver } from "../../../usecases/refuse-other-driver.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { syncAnswerText } from "../../views/sync-text.ts";

export default class SyncNowCommand extends BaseCommand {
  static override summary = "Let the leading engine look at the branch now, and say what came of it";
  static override description =
    "For clusters whose engine follows the branch (release: { by: sync } or approval). Ends with 1 where a commit is held or the branch cannot be read.";
  static override examples = ["fleet sync now"];
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    timeout: Flags.string({ description: "How long to wait for the engine's answer", default: "30s" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SyncNowCommand);
    const timeoutMs = parseDuration(flags.timeout);
    if (timeoutMs === null) {
      const next = "write one such as 90s or 5m";
      throw new OperationError("bad-timeout", `${flags.timeout} is not a duration`, { next });
    }
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { snapshot } = await readSnapshot(registry, keys);
      refuseOtherDriver(snapshot.release, "sync");
      const answer = await askSync({ registry, keys, by: userInfo().username, timeoutMs }, composition);
      if (answer === null) {
        throw new OperationError("no-answer", `no engine has looked within ${flags.timeout}`, {
          next: "see whether one leads: fleet status",
        });
      }
      if (flags.json) this.printJson(answer);
      else this.print(syncAnswerText(answer));
      if (answer.kind === "held" || answer.kind === "trouble") throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}
