import { type ServerDuplexStream, type ServiceError, status } from "@grpc/grpc-js";
import type {
  Event,
  Outgoing,
  ResponseHeader,
  WatchCreateRequest,
  WatchRequest,
  WatchResponse,
} from "../etcd-proto/etcd-messages.ts";
import { EVENT_DELETE, EVENT_PUT, WATCH_FILTER } from "../etcd-proto/etcd-messages.ts";
import { type ByteRange, byteRange } from "../mvcc/byte-range.ts";
import { isDeletion, type KeyVersion } from "../mvcc/key-history.ts";
import type { MvccStore } from "../mvcc/mvcc-store.ts";
import { previousOf, WatchCursor } from "../mvcc/watch-cursor.ts";
import { keyValue } from "./wire-answers.ts";
import { toBytes } from "./wire-requests.ts";

/** etcd's own measure for a fragment: no request, and so no event but its overhead, is larger. */
const FRAGMENT_BYTES = 1.5 * 1024 * 1024;
/** One stream of one agent watches a handful; a client that asks for more has lost count. */
const WATCHES_PER_STREAM_MAX = 1000;

const NO_WATCH = "-1";

type Duplex = ServerDuplexStream<Outgoing<WatchRequest>, Outgoing<WatchResponse>>;

/** What watches are of. */
export interface WatchSource {
  readonly store: MvccStore;
  /** Events up to it may be told of. */
  readonly shownRevision: number;
  header(revision: number): Outgoing<ResponseHeader>;
  /** Resolves once everything that happened so far may be told of; rejects where it never may. */
  settled(): Promise<void>;
  /** Why nobody may watch that here: the stream then ends with it. Null: it may be watched. */
  refuses?(range: ByteRange): Partial<ServiceError> | null;
  /** Told of each watch, for whoever need not pump those that nothing happened to. */
  begun?(range: ByteRange, stream: WatchStream): void;
  ended?(range: ByteRange, stream: WatchStream): void;
}

interface Watch {
  readonly id: string;
  readonly range: ByteRange;
  /** The one it began on. */
  readonly store: MvccStore;
  readonly cursor: WatchCursor;
  readonly wantsPrevious: boolean;
  readonly fragments: boolean;
  readonly progress: boolean;
  /** Its creation has been answered: events may follow. */
  created: boolean;
  /** It has sent something since the last progress report was due. */
  busy: boolean;
}

/**
 * One client's watches. They pull from the store's events when there is news to tell and the client keeps up: a slow
 * one costs nothing but its place.
 */
export class WatchStream {
  readonly #source: WatchSource;
  readonly #call: Duplex;
  readonly #watches = new Map<string, Watch>();
  #nextId = 0;
  #blocked = false;
  #ended = false;
  #progressAsked = false;

  constructor(source: WatchSource, call: Duplex) {
    this.#source = source;
    this.#call = call;
    call.on("data", (request: Outgoing<WatchRequest>) => this.#handle(request as WatchRequest));
    call.on("drain", () => {
      this.#blocked = false;
      this.pump();
    });
    call.on("end", () => call.end());
    for (const event of ["end", "close", "cancelled", "error"]) call.on(event, () => this.#end());
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Sends what is new, as far as the client takes it. */
  pump(): void {
    for (const watch of this.#watches.values()) {
      while (!this.#blocked && !this.#ended && watch.created && this.#watches.has(watch.id)) {
        const step = watch.cursor.next(this.#source.shownRevision);
        if (step.kind === "idle") break;
        if (step.kind === "compacted") this.#sendCompacted(watch, step.revision);
        else this.#sendEvents(watch, step.events);
      }
    }
    if (this.#progressAsked && !this.#blocked && !this.#ended) {
      this.#progressAsked = false;
      this.#send({ header: this.#shownHeader(), watch_id: NO_WATCH });
    }
  }

  /** The source has another store now: whoever watches must list again. */
  startOver(): void {
    for (const watch of this.#watches.values()) if (watch.created) this.#sendCompacted(watch, this.#lostRevision());
  }

  /** Tells watches that asked for it, and had nothing to say since the last time, how far they are. */
  reportProgress(): void {
    this.pump();
    for (const watch of this.#watches.values()) {
      if (this.#blocked || this.#ended) return;
      if (watch.progress && watch.created && !watch.busy)
        this.#send({ header: this.#shownHeader(), watch_id: watch.id });
      watch.busy = false;
    }
  }

  #handle(request: WatchRequest): void {
    if (request.create_request !== undefined) this.#create(request.create_request);
    else if (request.cancel_request !== undefined) this.#cancel(request.cancel_request.watch_id);
    else if (request.progress_request !== undefined) {
      this.#answer(() => {
        this.#progressAsked = true;
        this.pump();
      });
    }
  }

  #create(request: WatchCreateRequest): void {
    const { store } = this.#source;
    const header = this.#source.header(store.revision);
    const range = byteRange(toBytes(request.key) || "\0", toBytes(request.range_end));
    const error = this.#source.refuses?.(range) ?? null;
    if (error !== null) {
      this.#call.emit("error", error);
      return;
    }
    const refusal = this.#refusal(request, range.to !== null && range.from >= range.to);
    if (refusal !== undefined) {
      this.#answer(() =>
        this.#send({ header, watch_id: NO_WATCH, created: true, canceled: true, cancel_reason: refusal }),
      );
      return;
    }
    const start = Number(request.start_revision) || store.revision + 1;
    const watch: Watch = {
      id: request.watch_id === "0" ? this.#freeId() : request.watch_id,
      range,
      store,
      cursor: new WatchCursor(store, range, start, {
        puts: !request.filters.includes(WATCH_FILTER.noPut),
        deletes: !request.filters.includes(WATCH_FILTER.noDelete),
      }),
      wantsPrevious: request.prev_kv,
      fragments: request.fragment,
      progress: request.progress_notify,
      created: false,
      busy: true,
    };
    this.#watches.set(watch.id, watch);
    this.#source.begun?.(range, this);
    this.#answer(() => {
      this.#send({ header, watch_id: watch.id, created: true });
      watch.created = true;
      if (watch.store === this.#source.store) this.pump();
      else this.#sendCompacted(watch, this.#lostRevision());
    });
  }

  #refusal(request: WatchCreateRequest, isEmpty: boolean): string | undefined {
    if (isEmpty) return "mvcc: watcher range is empty";
    if (request.watch_id !== "0" && this.#watches.has(request.watch_id)) {
      return "mvcc: duplicate watch ID provided on the WatchStream";
    }
    return this.#watches.size >= WATCHES_PER_STREAM_MAX ? "too many watches on this stream" : undefined;
  }

  #freeId(): string {
    while (this.#watches.has(String(this.#nextId))) this.#nextId++;
    return String(this.#nextId++);
  }

  #cancel(id: string): void {
    if (!this.#watches.has(id)) return;
    this.#answer(() => {
      this.#forget(id);
      this.#send({ header: this.#shownHeader(), watch_id: id, canceled: true });
    });
  }

  #sendCompacted(watch: Watch, revision: number): void {
    this.#forget(watch.id);
    // etcd answers with a header whose revision is 0, and clients go by compact_revision.
    const header = this.#source.header(0);
    this.#send({ header, watch_id: watch.id, canceled: true, compact_revision: String(revision) });
  }

  #sendEvents(watch: Watch, versions: readonly KeyVersion[]): void {
    watch.busy = true;
    const header = this.#shownHeader();
    let events: Outgoing<Event>[] = [];
    let bytes = 0;
    for (const version of versions) {
      const previous = watch.wantsPrevious ? previousOf(this.#source.store, version) : undefined;
      const size = version.key.length + version.value.length + (previous?.value.length ?? 0);
      if (watch.fragments && events.length > 0 && bytes + size > FRAGMENT_BYTES) {
        this.#send({ header, watch_id: watch.id, fragment: true, events });
        events = [];
        bytes = 0;
      }
      events.push(eventOf(version, previous));
      bytes += size;
    }
    this.#send({ header, watch_id: watch.id, events });
  }

  /** Answers, like all others, wait until what was seen when they were made is on the disk; they keep their order. */
  #answer(send: () => void): void {
    this.#source.settled().then(
      () => {
        if (!this.#ended) send();
      },
      (cause: Error) => {
        this.#call.emit("error", { code: status.UNAVAILABLE, details: cause.message });
      },
    );
  }

  #shownHeader() {
    return this.#source.header(this.#source.shownRevision);
  }

  #send(response: Outgoing<WatchResponse>): void {
    if (!this.#call.write(response)) this.#blocked = true;
  }

  /** Anything but 0, which would mean that nothing was lost. */
  #lostRevision(): number {
    return Math.max(1, this.#source.store.compactedRevision);
  }

  #forget(id: string): void {
    const watch = this.#watches.get(id);
    if (watch === undefined) return;
    this.#watches.delete(id);
    this.#source.ended?.(watch.range, this);
  }

  #end(): void {
    this.#ended = true;
    for (const id of [...this.#watches.keys()]) this.#forget(id);
  }
}

function eventOf(version: KeyVersion, previous: KeyVersion | undefined): Outgoing<Event> {
  const before = previous === undefined ? {} : { prev_kv: keyValue(previous) };
  if (!isDeletion(version)) return { type: EVENT_PUT, kv: keyValue(version), ...before };
  const key = Buffer.from(version.key, "latin1");
  return { type: EVENT_DELETE, kv: { key, mod_revision: String(version.modRevision) }, ...before };
}
