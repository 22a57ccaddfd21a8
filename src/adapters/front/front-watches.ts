import type { status } from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { type WatchSource, WatchStream } from "../etcd-wire/watch-stream.ts";
import type { ByteRange, Bytes } from "../mvcc/byte-range.ts";
import { FrontRefusal, forbidden, notServed, registryAway, tooMany } from "./front-error.ts";
import { type FrontPeer, headerOf, type PeerLoad, type StreamHandler } from "./front-peer.ts";
import type { RootMirror } from "./root-mirror.ts";
import { spanOf } from "./wire-span.ts";

/** Before a client asks whether anybody is there (10 s of silence): one message in place of two. */
const PROGRESS_MS = 8_000;
/** Streams are told in turn, or thousands of messages would go out at once. */
const TURN_MS = 250;
/** An agent has eleven. */
const WATCHES_PER_PEER_MAX = 128;

interface Followed {
  readonly stream: WatchStream;
  dueMs: number;
}

/** All watches of all peers, out of one mirror: a change wakes those alone whose prefix its key has. */
export class FrontWatches {
  readonly #mirror: RootMirror;
  readonly #clock: Clock;
  readonly #streams = new Set<Followed>();
  readonly #byPrefix = new Map<Bytes, Set<WatchStream>>();
  #lengths: readonly number[] = [];

  constructor(mirror: RootMirror, clock: Clock) {
    this.#mirror = mirror;
    this.#clock = clock;
    mirror.onNews((news) => {
      if (news.kind === "changes") for (const stream of this.#concerned(news.keys)) stream.pump();
      else for (const { stream } of this.#streams) news.kind === "anew" ? stream.startOver() : stream.pump();
    });
  }

  /** How many watches there are. */
  get size(): number {
    let size = 0;
    for (const streams of this.#byPrefix.values()) size += streams.size;
    return size;
  }

  /** Tells whoever hears nothing how far it is, until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(TURN_MS, signal);
      // Who is cut off has nothing to vouch for: its clients notice the silence, and go elsewhere.
      if (signal.aborted || this.#mirror.isCutOff) continue;
      const nowMs = this.#clock.monotonicMs();
      for (const followed of this.#streams) {
        if (followed.stream.ended) this.#streams.delete(followed);
        else if (followed.dueMs <= nowMs) {
          followed.dueMs = nowMs + PROGRESS_MS;
          followed.stream.reportProgress();
        }
      }
    }
  }

  service(peer: FrontPeer, load: PeerLoad): { readonly Watch: StreamHandler<"WatchRequest", "WatchResponse"> } {
    const source = this.#sourceFor(peer, load);
    return {
      Watch: (call) => {
        if (this.#mirror.store === null) {
          const { status: code, message } = registryAway("this engine has not reached it yet");
          call.emit("error", { code, details: message });
          return;
        }
        this.#streams.add({ stream: new WatchStream(source, call), dueMs: this.#clock.monotonicMs() + PROGRESS_MS });
      },
    };
  }

  #sourceFor(peer: FrontPeer, load: PeerLoad): WatchSource {
    const mirror = this.#mirror;
    const now = () => {
      if (mirror.store === null) throw registryAway("this engine has not reached it yet");
      return mirror.store;
    };
    return {
      get store() {
        return now();
      },
      get shownRevision() {
        return now().revision;
      },
      header: (revision) => headerOf(mirror, revision),
      settled: () => Promise.resolve(),
      refuses: (range) => refusalOf(range, mirror, peer, load),
      begun: (range, stream) => {
        load.watches += 1;
        this.#follow(prefixOf(range), stream);
      },
      ended: (range, stream) => {
        load.watches -= 1;
        this.#leave(prefixOf(range), stream);
      },
    };
  }

  #follow(prefix: Bytes, stream: WatchStream): void {
    const streams = this.#byPrefix.get(prefix) ?? new Set();
    streams.add(stream);
    this.#byPrefix.set(prefix, streams);
    if (!this.#lengths.includes(prefix.length)) this.#lengths = [...this.#lengths, prefix.length];
  }

  #leave(prefix: Bytes, stream: WatchStream): void {
    const streams = this.#byPrefix.get(prefix);
    streams?.delete(stream);
    if (streams?.size === 0) this.#byPrefix.delete(prefix);
  }

  #concerned(keys: readonly Bytes[]): ReadonlySet<WatchStream> {
    const concerned = new Set<WatchStream>();
    for (const key of keys) {
      for (const length of this.#lengths) {
        if (length > key.length) continue;
        for (const stream of this.#byPrefix.get(key.slice(0, length)) ?? []) concerned.add(stream);
      }
    }
    return concerned;
  }
}

/** By what a key's watchers are found; the range without an end is everything. */
function prefixOf({ from, to }: ByteRange): Bytes {
  return to === null ? "" : from;
}

function refusalOf(range: ByteRange, mirror: RootMirror, peer: FrontPeer, load: PeerLoad) {
  try {
    const { prefix, exact } = spanOf(range);
    if (!peer.scope.mayRead(prefix, exact)) throw forbidden(peer.name, `read ${prefix}`);
    if (!mirror.has(prefix)) throw notServed(`watch of ${prefix}`);
    if (load.watches >= WATCHES_PER_PEER_MAX) throw tooMany();
    return null;
  } catch (error) {
    if (!(error instanceof FrontRefusal)) throw error;
    return { code: error.status as status, details: error.message };
  }
}
