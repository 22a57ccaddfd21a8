import { userInfo } from "node:os";
import { Flags } from "@oclif/core";
import { REASON_MAX } from "../codec/rollout-record.ts";
import type { RolloutOrder } from "../domain/rollout/rollout-record.ts";
import { OperationError } from "../ports/operation-error.ts";
import { orderRollout } from "../usecases/order-rollout.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "./base-command.ts";
import { clusterName } from "./cluster-name.ts";
import { memberNames } from "./member-names.ts";

export const rolloutOrderFlags = {
  ...repositoryFlags,
  ...clusterFlags,
  ...outputFlags,
  reason: Flags.string({ description: "Why; everybody sees it" }),
};

const GIVEN: Readonly<Record<RolloutOrder["order"], string>> = {
  pause: "is to pause: no further wave begins, and what is under way ends",
  resume: "is to go on",
  abort: "is to end here: what it has changed stays, until another release comes",
};

/** A command that tells the rollout in force one thing. The leading engine carries it out at its next look. */
export abstract class RolloutOrderCommand extends BaseCommand {
  protected async give(
    order: RolloutOrder["order"],
    flags: Parameters<BaseCommand["compose"]>[0] & {
      readonly cluster?: string | undefined;
      readonly json: boolean;
      readonly reason?: string | undefined;
    },
  ): Promise<void> {
    const why = reasonOf(flags.reason);
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const at = new Date(composition.clock.wallMs()).toISOString();
      const given: RolloutOrder = { order, by: userInfo().username, at, ...why };
      const record = await orderRollout(registry, keys, given, composition.newId);
      if (flags.json) return this.printJson({ ...given, was: record });
      this.say(`the rollout of release ${record.release.seq} ${GIVEN[order]}`);
      if (order !== "resume" || record.failures.length === 0) return;
      const names = memberNames((await readSnapshot(registry, keys)).snapshot);
      const excused = record.failures.map(({ unit, machine }) => `${unit} on ${names.get(machine) ?? machine}`);
      this.say(`what failed is not judged again: ${excused.join(", ")}`);
    } finally {
      await composition.close();
    }
  }
}

function reasonOf(text: string | undefined): Pick<RolloutOrder, "reason"> {
  if (text === undefined || text === "") return {};
  if (text.length <= REASON_MAX) return { reason: text };
  throw new OperationError("bad-reason", `the reason has ${text.length} characters, and ${REASON_MAX} is the most`, {
    next: "say it shorter",
  });
}
