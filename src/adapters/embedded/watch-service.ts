import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import type { EtcdMessages, Outgoing } from "../etcd-proto/etcd-messages.ts";
import { type WatchSource, WatchStream } from "../etcd-wire/watch-stream.ts";
import { headerAt, type RegistryContext } from "./registry-context.ts";

/** Often enough that a client may call a silent registry dead after 15 s (etcd's default is 10 minutes); nothing is written. */
const PROGRESS_INTERVAL_MS = 5_000;

export interface WatchService {
  readonly Watch: handleBidiStreamingCall<
    Outgoing<EtcdMessages["WatchRequest"]>,
    Outgoing<EtcdMessages["WatchResponse"]>
  >;
}

/** etcd's Watch service on the store, until the signal aborts. */
export function watchService(context: RegistryContext, signal: AbortSignal): WatchService {
  const { store, durable } = context;
  // What was written but is not on the disk yet may still be lost: nobody hears of it before.
  const source: WatchSource = {
    store,
    get shownRevision() {
      return durable.durableRevision;
    },
    header: (revision) => headerAt(context, revision),
    settled: () => durable.settled(),
  };
  const streams = new Set<WatchStream>();
  const forEach = (act: (stream: WatchStream) => void) => {
    for (const stream of streams) {
      if (stream.ended) streams.delete(stream);
      else act(stream);
    }
  };
  durable.onDurable(() => forEach((stream) => stream.pump()));
  void reportProgress(context, signal, () => forEach((stream) => stream.reportProgress()));
  return {
    Watch: (call) => {
      streams.add(new WatchStream(source, call));
    },
  };
}

async function reportProgress(context: RegistryContext, signal: AbortSignal, report: () => void): Promise<void> {
  for (;;) {
    await context.clock.sleep(PROGRESS_INTERVAL_MS, signal);
    if (signal.aborted) return;
    report();
  }
}
