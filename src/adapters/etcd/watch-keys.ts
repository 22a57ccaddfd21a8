import { type Client, status } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { WatchMessage } from "../../ports/registry.ts";
import type { EtcdConnection } from "./etcd-connection.ts";
import { isServiceError, operationErrorOf } from "./etcd-error.ts";
import { changeOf, prefixRange } from "./etcd-messages-of.ts";
import { openWatchStream, type WatchBatch } from "./watch-stream.ts";

/** The first wait is anything up to this: most cuts are a restart of the other side, over within it. */
const BACKOFF_FIRST_MS = 100;
/** The longest: 300 agents then knock 120 times a second at most, on average, on a registry that is down. */
const BACKOFF_LAST_MS = 5_000;

/** Answers that trying again does not change. */
const FINAL_CODES: ReadonlySet<number> = new Set([
  status.INVALID_ARGUMENT,
  status.PERMISSION_DENIED,
  status.UNAUTHENTICATED,
  status.UNIMPLEMENTED,
]);

export interface WatchOptions {
  readonly connection: EtcdConnection;
  readonly clock: Clock;
  readonly prefix: string;
  /** Everything up to this revision is known. */
  readonly after: number;
  /** The store `after` belongs to; null where nothing was heard from it yet. */
  readonly clusterId: string | null;
  /** The store's revision as a majority knows it. */
  readonly currentRevision: () => Promise<number>;
  /** Begins the messages of errors. */
  readonly doing: string;
  readonly signal: AbortSignal;
}

/**
 * Every change after `after`, over as many streams as it takes. Each stream starts AT the last revision seen, not one later,
 * and what is known is dropped: etcd 3.4 silently loses a delete that is the first thing after a compaction (etcd #19179)
 * unless asked from before it. The position moves only by whole batches delivered, never by the header of a message that
 * carries events, which is ahead of them while etcd catches up. Rejects where the server refuses for good.
 */
export async function* watchKeys(options: WatchOptions): AsyncGenerator<WatchMessage, void, void> {
  const { connection, clock, prefix, signal, doing } = options;
  let { after: last, clusterId } = options;
  for (let failures = 0; !signal.aborted; failures++) {
    let client: Client | null = null;
    try {
      client = await untilAborted(connection.client(), signal);
      if (client === null) return;
      for await (const batch of openWatchStream({
        client,
        ...prefixRange(prefix),
        start: Math.max(1, last),
        clock,
        signal,
      })) {
        if (batch.kind === "compacted") return yield { kind: "compacted" };
        if (batch.kind === "created") {
          if (clusterId !== null && clusterId !== batch.clusterId) return yield { kind: "compacted" };
          clusterId = batch.clusterId;
          if (batch.revision < last && (await options.currentRevision()) < last) return yield { kind: "compacted" };
          continue;
        }
        // Only a stream that delivers proves the way is free: one cut before each first message would be hammered otherwise.
        failures = 0;
        const message = messageOf(batch, last);
        if (message === null) continue;
        last = message.revision;
        yield message;
        if (signal.aborted) return;
      }
    } catch (error) {
      if (signal.aborted) return;
      if (client !== null) connection.distrust(client);
      if (!isWorthRetrying(error)) throw operationErrorOf(error, doing, false);
    }
    await clock.sleep(Math.random() * Math.min(BACKOFF_LAST_MS, BACKOFF_FIRST_MS * 2 ** failures), signal);
  }
}

type Delivered = Extract<WatchMessage, { kind: "changes" | "progress" }>;

/** What is new in a batch; null where nothing is. */
function messageOf(
  batch: Extract<WatchBatch, { kind: "events" | "progress" | "alive" }>,
  last: number,
): Delivered | null {
  if (batch.kind === "alive") return null;
  if (batch.kind === "progress") return batch.revision > last ? { kind: "progress", revision: batch.revision } : null;
  const fresh = batch.events.filter((event) => Number(event.kv!.mod_revision) > last);
  if (fresh.length === 0) return null;
  return { kind: "changes", revision: Number(fresh.at(-1)!.kv!.mod_revision), changes: fresh.map(changeOf) };
}

const FINAL_ERRORS: ReadonlySet<string> = new Set(["registry-closed", "registry-denied", "registry-tls-invalid"]);

function isWorthRetrying(error: unknown): boolean {
  if (isServiceError(error)) return !FINAL_CODES.has(error.code);
  return error instanceof OperationError && !FINAL_ERRORS.has(error.code);
}

/** The client, or null as soon as the signal aborts. */
function untilAborted(client: Promise<Client>, signal: AbortSignal): Promise<Client | null> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(null);
    signal.addEventListener("abort", stop);
    client.then(resolve, reject).finally(() => signal.removeEventListener("abort", stop));
  });
}
