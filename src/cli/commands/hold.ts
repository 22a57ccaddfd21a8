import { userInfo } from "node:os";
import { Args, Flags } from "@oclif/core";
import { HOLD_MAX_MS, HOLD_MIN_MS, type Hold, holdScope } from "../../domain/cluster/hold.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { endHold, placeHold } from "../../usecases/place-hold.ts";
import { readHolds } from "../../usecases/read-holds.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import { holdUntil } from "../views/hold-until.ts";
import { holdsText } from "../views/holds-text.ts";

export default class HoldCommand extends BaseCommand {
  static override summary = "Keep agents from acting on a unit, a machine or the cluster for a while";
  static override description =
    "What is held is left exactly as it is; the commit, the release and the placements go on, and are carried out when the hold ends, by itself or with --end. Without a name it lists what is held.";
  static override args = { what: Args.string({ description: "A unit, a machine's name or id, or the word cluster" }) };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    for: Flags.string({ description: "How long", default: "1h" }),
    reason: Flags.string({ description: "Why; everybody sees it", default: "" }),
    end: Flags.boolean({ description: "End it now" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(HoldCommand);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { snapshot } = await readSnapshot(registry, keys);
      if (args.what !== undefined) {
        const scope = holdScope(args.what, snapshot.members);
        if (scope === null) throw nothingOfThatName(args.what);
        if (flags.end) {
          const ended = await endHold(registry, keys, scope);
          this.say(ended ? `${args.what} is not held any more` : `${args.what} was not held`);
        } else {
          const forMs = holdTime(flags.for);
          const at = new Date(composition.clock.wallMs()).toISOString();
          const hold: Hold = { scope, reason: flags.reason, by: userInfo().username, at, forMs };
          await placeHold(registry, keys, hold, composition.newId);
        }
      }
      const holds = await readHolds(registry, keys);
      const names = new Map(snapshot.members.map(({ id, name }) => [id, name]));
      if (flags.json) this.printJson(holds.map((hold) => ({ ...hold, until: holdUntil(hold) })));
      else this.print(holds.length === 0 ? "nothing is held" : holdsText(holds, names, composition.clock.wallMs()));
    } finally {
      await composition.close();
    }
  }
}

function holdTime(text: string): number {
  const forMs = parseDuration(text);
  if (forMs !== null && forMs >= HOLD_MIN_MS && forMs <= HOLD_MAX_MS) return forMs;
  throw new OperationError("bad-duration", `${text} is no time to hold something for`, {
    next: "give one from 2s to 168h, such as 30m",
  });
}

function nothingOfThatName(text: string): OperationError {
  return new OperationError("nothing-to-hold", `${text} is no machine of the cluster and no unit's name`, {
    next: "name a unit with its type (web.service), a machine, or the word cluster",
  });
}
