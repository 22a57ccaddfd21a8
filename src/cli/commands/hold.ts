import { userInfo } from "node:os";
import { Args, Flags } from "@oclif/core";
import type { ControlAnswer, ControlRequest } from "../../codec/control-message.ts";
import { HOLD_MAX_MS, HOLD_MIN_MS, type Hold, holdScope } from "../../domain/cluster/hold.ts";
import type { MachineId } from "../../domain/names.ts";
import { parseDuration } from "../../domain/spec/duration.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { endHold, placeHold } from "../../usecases/place-hold.ts";
import { readHolds } from "../../usecases/read-holds.ts";
import { readSnapshot } from "../../usecases/read-snapshot.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { clusterName } from "../cluster-name.ts";
import { holdUntil } from "../views/hold-until.ts";
import { holdsText } from "../views/holds-text.ts";

/** What is missing when the cluster cannot be asked; the machine itself can. */
const AWAY: ReadonlySet<string> = new Set(["registry-unreachable", "registry-timeout", "registry-no-leader"]);

interface HoldFlags {
  readonly for: string;
  readonly reason: string;
  readonly end: boolean;
  readonly json: boolean;
}

export default class HoldCommand extends BaseCommand {
  static override summary = "Keep agents from acting on a unit, a machine or the cluster for a while";
  static override description =
    "What is held is left exactly as it is; the commit, the release and the placements go on, and are carried out when the hold ends, by itself or with --end. Without a name it lists what is held. With --on-this-machine the agent of the machine one stands on is asked, as root, and no registry is needed: it holds there only, everybody sees it once the registry is back, and it is ended there.";
  static override examples = [
    "fleet hold db.service --for 30m --reason 'I am looking at it'",
    "fleet hold db.service --end",
  ];
  static override args = {
    what: Args.string({
      description: "A unit, a machine's name or id, or the word cluster; with --on-this-machine the word machine",
    }),
  };
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    for: Flags.string({ description: "How long", default: "1h" }),
    reason: Flags.string({ description: "Why; everybody sees it", default: "" }),
    end: Flags.boolean({ description: "End it now" }),
    "on-this-machine": Flags.boolean({ description: "Ask this machine's own agent, and not the registry" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(HoldCommand);
    if (flags["on-this-machine"]) return this.#askAgent(args.what, flags);
    try {
      await this.#askCluster(args.what, flags);
    } catch (error) {
      if (!(error instanceof OperationError) || !AWAY.has(error.code) || args.what === undefined) throw error;
      const next = `${error.next ?? "check the registry"}; without it, on the machine itself: sudo fleet hold ${args.what} --on-this-machine`;
      throw new OperationError(error.code, error.message, { cause: error.cause, next });
    }
  }

  async #askCluster(
    what: string | undefined,
    flags: HoldFlags & Parameters<BaseCommand["compose"]>[0] & { readonly cluster?: string | undefined },
  ): Promise<void> {
    const composition = await this.compose(flags);
    try {
      const registry = await composition.needRegistry();
      const keys = composition.keysOf(await clusterName(composition, flags.cluster));
      const { snapshot } = await readSnapshot(registry, keys);
      if (what !== undefined) {
        const scope = holdScope(what, snapshot.members);
        if (scope === null) throw nothingOfThatName(what);
        if (flags.end) {
          this.#sayEnded(what, await endHold(registry, keys, scope));
        } else {
          const forMs = holdTime(flags.for);
          const at = new Date(composition.clock.wallMs()).toISOString();
          const hold: Hold = { scope, reason: flags.reason, by: userInfo().username, at, forMs };
          await placeHold(registry, keys, hold, composition.newId);
        }
      }
      const holds = await readHolds(registry, keys, snapshot.members);
      this.#show(holds, new Map(snapshot.members.map(({ id, name }) => [id, name])), flags);
    } finally {
      await composition.close();
    }
  }

  async #askAgent(what: string | undefined, flags: HoldFlags): Promise<void> {
    const { machine, name, holds, ended } = await agentAnswer(requestOf(what, flags));
    if (ended !== undefined) this.#sayEnded(what!, ended);
    this.#show(holds, new Map([[machine, name]]), flags);
  }

  #sayEnded(what: string, ended: boolean): void {
    this.say(ended ? `${what} is not held any more` : `${what} was not held`);
  }

  #show(holds: readonly Hold[], names: ReadonlyMap<MachineId, string>, { json }: HoldFlags): void {
    if (json) this.printJson(holds.map((hold) => ({ ...hold, until: holdUntil(hold) })));
    else this.print(holds.length === 0 ? "nothing is held" : holdsText(holds, names, Date.now()));
  }
}

function requestOf(what: string | undefined, flags: HoldFlags): ControlRequest {
  if (what === undefined) return { do: "holds" };
  if (flags.end) return { do: "end-hold", what };
  // Whoever became root for this is who did it.
  const by = process.env.SUDO_USER ?? userInfo().username;
  return { do: "hold", what, forMs: holdTime(flags.for), reason: flags.reason, by };
}

async function agentAnswer(request: ControlRequest): Promise<ControlAnswer> {
  const [{ CONTROL_SOCKET, decodeControlAnswer, encodeControlRequest }, { askControl }] = await Promise.all([
    import("../../codec/control-message.ts"),
    import("../../adapters/control/ask-control.ts"),
  ]);
  return decodeControlAnswer(await askControl(CONTROL_SOCKET, encodeControlRequest(request)));
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
