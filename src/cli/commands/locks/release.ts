import { Args } from "@oclif/core";
import { readSnapshot } from "../../../usecases/read-snapshot.ts";
import { releaseLock } from "../../../usecases/release-lock.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../../base-command.ts";
import { clusterName } from "../../cluster-name.ts";
import { memberNames } from "../../member-names.ts";
import { heldByText } from "../../views/locks-text.ts";

export default class LocksReleaseCommand extends BaseCommand {
  static override summary = "End somebody's slot of a lock, or its wait, before its deadline";
  static override description =
    "For a holder that will not give it back: one that was killed, or a machine that does not return. It says whose it was. A machine that restarts all the same is not stopped by it.";
  static override examples = ["fleet locks release apply laptop-4711-3f2a9c11"];
  static override args = {
    name: Args.string({ description: "The lock, as `fleet locks` names it", required: true }),
    holder: Args.string({ description: "The holder, as there; of a machine also its name", required: true }),
  };
  static override flags = { ...repositoryFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(LocksReleaseCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const names = memberNames((await readSnapshot(registry, keys)).snapshot);
      const holder = [...names].find(([, name]) => name === args.holder)?.[0] ?? args.holder;
      const ports = { registry, keys, newId: composition.newId };
      const { slot, waiter } = await releaseLock(ports, args.name, holder);
      if (flags.json) return this.printJson({ slot, waiter });
      if (slot !== null) {
        this.print(
          `lock ${args.name} was held ${heldByText([slot], names, composition.clock.wallMs())}; it is free now`,
        );
      } else if (waiter !== null) this.print(`${args.holder} waited for lock ${args.name}, and does not any more`);
      else this.say(`${args.holder} does not hold lock ${args.name}: nothing was changed`);
    } finally {
      await composition.close();
    }
  }
}
