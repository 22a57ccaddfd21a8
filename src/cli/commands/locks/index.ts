import { readLocks } from "../../../usecases/read-lock.ts";
import { readSnapshot } from "../../../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { memberNames } from "../../member-names.ts";
import { locksText } from "../../views/locks-text.ts";

export default class LocksCommand extends BaseCommand {
  static override summary = "List who holds a lock of the cluster, and who waits for one";
  static override description =
    "Applies hold `apply` for seconds, machines that restart hold `reboot`. Each slot has a deadline; `fleet locks release NAME HOLDER` ends one by hand.";
  static override examples = ["fleet locks"];
  static override flags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { flags } = await this.parse(LocksCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const locks = await readLocks(registry, keys);
      const names = memberNames((await readSnapshot(registry, keys)).snapshot);
      if (flags.json) this.printJson(locks);
      else this.print(locks.length === 0 ? "nobody holds a lock" : locksText(locks, names, composition.clock.wallMs()));
    } finally {
      await composition.close();
    }
  }
}
