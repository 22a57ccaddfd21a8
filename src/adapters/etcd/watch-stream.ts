import type { Client, ClientDuplexStream } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { Event, Outgoing, WatchRequest, WatchResponse } from "../etcd-proto/etcd-messages.ts";
import { WATCH_METHODS } from "../etcd-proto/etcd-proto.ts";
import { leaderRequired } from "./etcd-connection.ts";
import type { KeyRange } from "./etcd-messages-of.ts";

/** etcd reports progress on its own only every ten minutes; after this much silence we ask whether anybody is there. */
const SILENCE_MS = 10_000;
/** For the answer, and for the first word of a new stream: what a call gets. */
const ANSWER_LIMIT_MS = 5_000;

export interface WatchStreamOptions extends KeyRange {
  readonly client: Client;
  /** 1 at least: 0 would mean "from now". */
  readonly start: number;
  readonly clock: Clock;
  readonly signal: AbortSignal;
}

export type WatchBatch =
  | { readonly kind: "created"; readonly revision: number; readonly clusterId: string }
  /** Every event of one or more revisions, fragments joined. */
  | { readonly kind: "events"; readonly events: readonly Event[] }
  /** Nothing more happened up to there. */
  | { readonly kind: "progress"; readonly revision: number }
  /** An answer that proves the other side is there, and nothing else. */
  | { readonly kind: "alive" }
  | { readonly kind: "compacted" };

/**
 * One watch on one stream, until it breaks: rejects with grpc-js's ServiceError or OperationError `registry-silent`, or just
 * ends. Cancels the stream when the signal aborts or the consumer leaves.
 */
export async function* openWatchStream(options: WatchStreamOptions): AsyncGenerator<WatchBatch, void, void> {
  const { client, clock, signal, start, key, range_end } = options;
  const { path, requestSerialize, responseDeserialize } = WATCH_METHODS.Watch;
  const call: WatchCall = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, leaderRequired());
  const cancel = () => call.cancel();
  signal.addEventListener("abort", cancel);
  // The iterator below reports what goes wrong; this one hears only what comes after we stopped listening.
  call.on("error", () => {});
  const range = range_end === undefined ? { key } : { key, range_end };
  call.write({ create_request: { ...range, start_revision: String(start), progress_notify: true, fragment: true } });
  try {
    yield* batches(responses(call, clock));
  } finally {
    signal.removeEventListener("abort", cancel);
    cancel();
  }
}

type WatchCall = ClientDuplexStream<Outgoing<WatchRequest>, WatchResponse>;

async function* batches(responses: AsyncIterable<WatchResponse>): AsyncGenerator<WatchBatch, void, void> {
  // All of a message or nothing: half of one must die with its stream, or a reconnect would skip the other half.
  let fragments: Event[] = [];
  for await (const response of responses) {
    const revision = Number(response.header!.revision);
    if (response.canceled) {
      if (response.compact_revision !== "0") return yield { kind: "compacted" };
      if (DENIED.test(response.cancel_reason)) {
        const next = "check the certificate this machine shows etcd, and the role of its common name";
        throw new OperationError("registry-denied", response.cancel_reason, { next });
      }
      throw new OperationError(
        "watch-canceled",
        `the server ended the watch: ${response.cancel_reason || "no reason given"}`,
      );
    } else if (response.created) {
      yield { kind: "created", revision, clusterId: response.header!.cluster_id };
    } else if (response.watch_id === "-1") {
      // An answer to our question: etcd 3.4 does not order it with events (etcd #15220), so its revision is worth nothing.
      yield { kind: "alive" };
    } else if (response.events.length === 0 && !response.fragment) {
      if (fragments.length === 0) yield { kind: "progress", revision };
    } else {
      fragments = fragments.concat(response.events);
      if (response.fragment) continue;
      yield { kind: "events", events: fragments };
      fragments = [];
    }
  }
}

/** etcd ends such a watch with a message, where it refuses a call with a code. */
const DENIED = /permission denied|user name is empty/;

/** The stream's messages; asks when it is silent, and rejects when nobody answers. Silence counts only while we listen. */
async function* responses(call: WatchCall, clock: Clock): AsyncGenerator<WatchResponse, void, void> {
  const iterator: AsyncIterator<WatchResponse> = call[Symbol.asyncIterator]();
  let isFirst = true;
  while (true) {
    const heard = new AbortController();
    const next = iterator.next().finally(() => heard.abort());
    const silentFor = async (limit: number): Promise<boolean> => {
      await Promise.race([next, clock.sleep(limit, heard.signal)]);
      return !heard.signal.aborted;
    };
    if (await silentFor(isFirst ? ANSWER_LIMIT_MS : SILENCE_MS)) {
      if (!isFirst) call.write({ progress_request: {} });
      if (isFirst || (await silentFor(ANSWER_LIMIT_MS))) {
        next.catch(() => {});
        throw new OperationError("registry-silent", "the registry stopped answering on a watch");
      }
    }
    isFirst = false;
    const { done, value } = await next;
    if (done) return;
    yield value;
  }
}
