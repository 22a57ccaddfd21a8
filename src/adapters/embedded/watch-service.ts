import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import type { EtcdMessages, Outgoing } from "../etcd-proto/etcd-messages.ts";
import type { RegistryContext } from "./registry-context.ts";
import { WatchStream } from "./watch-stream.ts";

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
  const streams = new Set<WatchStream>();
  const forEach = (act: (stream: WatchStream) => void) => {
    for (const stream of streams) {
      if (stream.ended) streams.delete(stream);
      else act(stream);
    }
  };
  context.durable.onDurable(() => forEach((stream) => stream.pump()));
  void reportProgress(context, signal, () => forEach((stream) => stream.reportProgress()));
  return {
    Watch: (call) => {
      streams.add(new WatchStream(context, call));
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
