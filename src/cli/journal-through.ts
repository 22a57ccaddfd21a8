import { join } from "node:path";
import { StringDecoder } from "node:string_decoder";
import { endpointText, parseHubAddress } from "../adapters/hub/hub-address.ts";
import { randomId } from "../adapters/random-id.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { encodeJournalAsk, signedBytesOf } from "../codec/journal-ask.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { JournalOptions } from "./journalctl-on.ts";
import { printable } from "./views/printable.ts";

export interface WantedJournal extends JournalOptions {
  readonly machine: MachineId;
  readonly unit: UnitName;
}

/** Codes after which another engine may have what this one does not. */
const ELSEWHERE: ReadonlySet<string> = new Set(["machine-not-here", "engine-lost", "engine-busy", "engine-too-old"]);

/**
 * A unit's journal of another machine, through the engines of that address (`hub://…`) and in the name of this machine, piece by piece and
 * fit for a terminal. Each engine is asked in turn until one has that machine. Rejects with what the last one, or the machine, refused with.
 */
export async function* journalThrough(
  address: string,
  stateDirectory: string,
  wanted: WantedJournal,
  signal: AbortSignal,
): AsyncGenerator<string, void, void> {
  const { engines } = parseHubAddress(address);
  let refused: OperationError | null = null;
  for (const engine of engines) {
    const parts = askThrough(`hub://${endpointText(engine)}`, stateDirectory, wanted, signal);
    try {
      yield* readable(parts);
      return;
    } catch (error) {
      if (!(error instanceof OperationError) || !ELSEWHERE.has(error.code)) throw error;
      refused = error;
    }
  }
  if (refused !== null) throw refused;
}

async function* askThrough(
  address: string,
  stateDirectory: string,
  { machine: to, unit, lines, follow, json }: WantedJournal,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array, void, void> {
  const [{ openHub }, { askEngine }, { ensureIdentity }, { signatureOf }, { DiskFileStore }, { knownCluster }] =
    await Promise.all([
      import("./open-hub.ts"),
      import("../adapters/reach/ask-engine.ts"),
      import("../adapters/identity/ensure-identity.ts"),
      import("../adapters/identity/key-signature.ts"),
      import("../adapters/files/disk-file-store.ts"),
      import("../usecases/known-cluster.ts"),
    ]);
  const hub = await openHub({ address, stateDirectory, role: "terminal" });
  try {
    const known = await knownCluster(new DiskFileStore(), stateDirectory);
    if (known === null) {
      throw new OperationError("not-joined", "this machine belongs to no cluster, so nobody answers it", {
        next: "fleet join",
      });
    }
    const identity = await ensureIdentity(join(stateDirectory, "identity"));
    const text = encodeJournalAsk({
      ...{ clusterId: known.clusterId, from: hub.self.machine, to, unit, lines, follow, json },
      ...{ atMs: systemClock.wallMs(), id: randomId() },
    });
    const request = { machine: to, text, signature: signatureOf(identity, signedBytesOf(text)) };
    try {
      yield* askEngine(`unix:${hub.socketPath}`, request, signal);
    } catch (error) {
      throw explained(error, hub.state().failures);
    }
  } finally {
    await hub.registry.close();
  }
}

/** Where no engine took the connection, why is known to the relay alone. */
function explained(
  error: unknown,
  failures: readonly { readonly detail: string; readonly next: string | null }[],
): unknown {
  const [first] = failures;
  if (!(error instanceof OperationError) || error.code !== "engine-lost" || first === undefined) return error;
  const options = { cause: error, ...(first.next === null ? {} : { next: first.next }) };
  return new OperationError(error.code, first.detail, options);
}

/** It comes from a machine that may be anybody's by now: what steers a terminal does not come through. */
async function* readable(parts: AsyncIterable<Uint8Array>): AsyncGenerator<string, void, void> {
  const decoder = new StringDecoder("utf8");
  for await (const part of parts) yield printable(decoder.write(Buffer.from(part)));
  yield printable(decoder.end());
}
