import { askControl } from "../adapters/control/ask-control.ts";
import { CONTROL_SOCKET, decodeControlAnswer, encodeControlRequest } from "../codec/control-message.ts";
import type { Hold } from "../domain/cluster/hold.ts";
import type { StandaloneState } from "../domain/standalone/standalone-state.ts";
import { OperationError } from "../ports/operation-error.ts";

/** What the agent of this machine follows. Rejects with `not-standalone` where engines tell it what to do. */
export async function askStandalone(
  socket = CONTROL_SOCKET,
): Promise<{ readonly name: string; readonly state: StandaloneState; readonly holds: readonly Hold[] }> {
  const answer = decodeControlAnswer(await askControl(socket, encodeControlRequest({ do: "standalone" })));
  const { name, standalone: state, holds } = answer;
  if (state !== undefined) return { name, state, holds };
  throw new OperationError("not-standalone", "this machine's agent takes its orders from engines, not from git alone", {
    next: "fleet status asks its cluster",
  });
}
