import {
  type ControlAnswer,
  type ControlRequest,
  decodeControlRequest,
  encodeControlAnswer,
  encodeControlRefusal,
} from "../codec/control-message.ts";
import { type HoldScope, holdScope } from "../domain/cluster/hold.ts";
import type { StandaloneState } from "../domain/standalone/standalone-state.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { HoldWatch } from "./hold-watch.ts";
import type { AgentIdentity } from "./member-announcer.ts";

/** What an agent answers on its own socket, line by line; a request it cannot carry out is answered with why. */
export function controlAnswers(
  self: Pick<AgentIdentity, "machine" | "name">,
  holds: HoldWatch,
  clock: Clock,
  /** Of a machine that follows git alone; null: engines tell it what to do. */
  following: (() => Promise<StandaloneState>) | null = null,
): (line: string) => Promise<string> {
  const { machine, name } = self;
  return async (line) => {
    try {
      await holds.recall();
      const request = decodeControlRequest(line);
      const done = await carryOut(request, self, holds, clock);
      const isAsked = request.do === "standalone" && following !== null;
      const standalone = isAsked ? { standalone: await following() } : {};
      return encodeControlAnswer({ machine, name, ...done, ...standalone, holds: holds.known() });
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return encodeControlRefusal(error);
    }
  };
}

async function carryOut(
  request: ControlRequest,
  self: Pick<AgentIdentity, "machine" | "name">,
  holds: HoldWatch,
  clock: Clock,
): Promise<Pick<ControlAnswer, "ended">> {
  if (request.do === "holds" || request.do === "standalone") return {};
  const scope = scopeHere(request.what, self);
  if (request.do === "end-hold") return { ended: await holds.end(scope) };
  const { reason, by, forMs } = request;
  await holds.place({ scope, reason, by, at: new Date(clock.wallMs()).toISOString(), forMs });
  return {};
}

/** A machine speaks for itself, and for nobody else. */
function scopeHere(what: string, { machine, name }: Pick<AgentIdentity, "machine" | "name">): HoldScope {
  const scope = what === "machine" ? { kind: "machine" as const, machine } : holdScope(what, [{ id: machine, name }]);
  if (scope !== null && scope.kind !== "cluster") return scope;
  throw new OperationError("nothing-to-hold", `${what} is not this machine, and no unit's name`, {
    next: "name a unit with its type (web.service), or say: machine",
  });
}
