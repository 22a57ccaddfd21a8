import { systemClock } from "../adapters/system-clock.ts";
import { signedBytesOf } from "../codec/journal-ask.ts";
import type { MachineId } from "../domain/names.ts";
import type { SpecMachine } from "../domain/spec/cluster-spec.ts";
import { type Log, notice } from "../ports/log.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import type { Hub } from "./open-hub.ts";

export interface JournalAnswers {
  /** Of the commit this machine has accepted: whose key is whose. */
  accept(machines: readonly SpecMachine[]): void;
  /** Until the signal aborts. */
  run(signal: AbortSignal): Promise<void>;
}

/**
 * What an agent tells of its machine's journal through engines. `allowed`: the configuration's `allow_journal`; without it there is nothing,
 * and no connection for it: null.
 */
export async function answerJournals(
  allowed: string | undefined,
  {
    hub,
    self,
    files,
    log,
  }: { readonly hub: Hub | null; readonly self: MachineId; readonly files: AgentFiles; readonly log: Log },
): Promise<JournalAnswers | null> {
  const names = (allowed ?? "").split(/[\s,]+/).filter((name) => name !== "");
  if (names.length === 0) return null;
  if (hub === null) {
    log(notice('allow_journal counts only where this machine goes through engines: registry="hub://…"'));
    return null;
  }
  const [{ AskAnswerer }, { keepReach }, { EngineLine }, { isSignedBy }, { journalctlReader }] = await Promise.all([
    import("../usecases/answer-asks.ts"),
    import("../daemon/reach-keeper.ts"),
    import("../adapters/reach/engine-line.ts"),
    import("../adapters/identity/key-signature.ts"),
    import("../adapters/systemd/journalctl-reader.ts"),
  ]);
  const answerer = new AskAnswerer({
    ...{ self, log, allowed: names, clock: systemClock, journal: journalctlReader },
    clusterId: async () => (await files.readState())?.clusterId ?? null,
    units: async () => new Set((await files.readOwned()).keys()),
    isSignedBy: ({ text, signature }, key) => isSignedBy(key, signedBytesOf(text), signature),
  });
  const line = new EngineLine(`unix:${hub.socketPath}`, log);
  return {
    accept: (machines) => answerer.accept(machines),
    run: (signal) => keepReach(line, answerer.answer, { clock: systemClock, log }, signal),
  };
}
