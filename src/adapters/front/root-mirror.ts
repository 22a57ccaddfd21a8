import type { Clock } from "../../ports/clock.ts";
import { type Log, refusal, warning } from "../../ports/log.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { Entry, EntryChange, Listing, Registry } from "../../ports/registry.ts";
import type { Bytes } from "../mvcc/byte-range.ts";
import { type KeyVersion, NO_LEASE } from "../mvcc/key-history.ts";
import { MvccStore } from "../mvcc/mvcc-store.ts";
import { Coalesced } from "./coalesced.ts";

/** Changes kept for those who come back: 200 s of the busiest rollout we plan for (100 writes a second). */
const HISTORY_CHANGES_MAX = 20_000;
const HISTORY_BYTES_MAX = 32 << 20;
/** How often it asks whether the registry is there: silence of a watch says nothing. A read of one key, no write. */
const PROBE_MS = 5_000;
/** Without an answer for so long it is cut off; two probes, and the time the second has for its answer. */
const CUT_OFF_MS = 12_000;
/** All of it is read and compared this often, whatever the watch says: what a watch lost is found within it. */
const COMPARE_MS = 300_000;
/** Reading all of it is work for the registry: the wait doubles where that does not help. */
const RETRY_MS = 500;
const RETRY_MAX_MS = 10_000;

export interface RootMirrorOptions {
  readonly registry: Registry;
  /** What it follows: everything under it. */
  readonly root: string;
  /** But for what is under these, which is large and nobody's business. */
  readonly leaveOut: readonly string[];
  readonly clock: Clock;
  readonly log: Log;
}

export type MirrorNews =
  /** Of these keys, as bytes. */
  | { readonly kind: "changes"; readonly keys: readonly Bytes[] }
  /** Part of the past goes: this is the last moment to tell of it. */
  | { readonly kind: "forgetting" }
  /** There is another store now. */
  | { readonly kind: "anew" };

/**
 * One cluster's part of the registry, held in this process with a ring of its recent past, so that any number of machines list and watch
 * without the registry noticing. Keys and revisions are the registry's own. Modes: nothing yet (`store` null), following, cut off.
 */
export class RootMirror {
  /** The registry's revision, as it is after the call: one read for all who ask meanwhile. */
  readonly revision: Coalesced<number>;
  readonly #options: RootMirrorOptions;
  readonly #listeners = new Set<(news: MirrorNews) => void>();
  readonly #waiting = new Set<() => void>();
  #store: MvccStore | null = null;
  #answeredMs = Number.NEGATIVE_INFINITY;
  /** Since it answered last. */
  #hasFailed = false;

  constructor(options: RootMirrorOptions) {
    this.#options = options;
    this.revision = new Coalesced(async () => {
      // Under the root, because there a role may read; of a key nobody has.
      const asked = options.registry.list(`${options.root}-`, { exact: true });
      const { revision } = await asked.catch((error: unknown) => {
        this.#hasFailed = true;
        throw error;
      });
      this.#answered();
      return revision;
    });
  }

  /** Null until it has been read for the first time. Another one after the registry's history was lost. */
  get store(): MvccStore | null {
    return this.#store;
  }

  /**
   * The registry has not answered for so long that others may know more. An engine that is merely slow is not cut off: to send all its machines
   * to the next one would make that one slow as well.
   */
  get isCutOff(): boolean {
    return this.#hasFailed && this.#options.clock.monotonicMs() - this.#answeredMs > CUT_OFF_MS;
  }

  /** Whether all of that span is here. */
  has(prefix: string): boolean {
    const { root, leaveOut } = this.#options;
    return prefix.startsWith(root) && !leaveOut.some((out) => out.startsWith(prefix) || prefix.startsWith(out));
  }

  onNews(listener: (news: MirrorNews) => void): void {
    this.#listeners.add(listener);
  }

  /** Whether what it shows is at least that new, or is so within the time. */
  async reaches(revision: number, limitMs: number): Promise<boolean> {
    const isThere = () => (this.#store?.revision ?? 0) >= revision;
    if (isThere()) return true;
    const over = new AbortController();
    const look = () => {
      if (isThere()) over.abort(null);
    };
    this.#waiting.add(look);
    await this.#options.clock.sleep(limitMs, over.signal);
    this.#waiting.delete(look);
    over.abort(null);
    return isThere();
  }

  /** The keys that hang on that lease here. */
  leaseKeys(lease: string): readonly string[] {
    return [...(this.#store?.leases.get(lease)?.keys ?? [])].map(fromBytes);
  }

  /** Forgets the past before that revision: whoever asks for it is told that it is gone. */
  forgetBefore(revision: number): void {
    const store = this.#store;
    if (store === null || revision <= store.compactedRevision || revision > store.revision) return;
    this.#tell({ kind: "forgetting" });
    store.compact(revision);
  }

  /** Follows until the signal aborts; never rejects for anything the registry does. */
  async run(signal: AbortSignal): Promise<void> {
    const probing = this.#probe(signal);
    const { clock } = this.#options;
    for (let failures = 0; !signal.aborted; failures++) {
      const begunMs = clock.monotonicMs();
      await this.#orLog(() => this.#followOnce(signal), signal);
      if (clock.monotonicMs() - begunMs > RETRY_MAX_MS) failures = 0;
      await clock.sleep(Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** failures), signal);
    }
    await probing;
  }

  async #probe(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#options.clock.sleep(PROBE_MS, signal);
      if (!signal.aborted) await this.#orLog(async () => void (await this.revision.ask()), signal);
    }
  }

  async #followOnce(signal: AbortSignal): Promise<void> {
    const { registry, root } = this.#options;
    const { clusterId } = await registry.describe();
    const listing = await registry.list(root);
    this.#answered();
    const isFirst = this.#store === null;
    this.#store = this.#storeOf(listing, clusterId);
    if (!isFirst) this.#tell({ kind: "anew" });
    this.#wakeWaiting();
    const over = new AbortController();
    const both = AbortSignal.any([signal, over.signal]);
    const comparing = this.#compare(both).then(() => over.abort(null));
    try {
      for await (const message of registry.watch(root, listing.revision, both)) {
        if (message.kind === "compacted") return;
        if (message.kind === "changes") this.#apply(message.changes);
        this.#store.advanceTo(message.revision);
        this.#wakeWaiting();
      }
    } finally {
      over.abort(null);
      await comparing;
    }
  }

  #storeOf({ entries, revision }: Listing, clusterId: string): MvccStore {
    const store = new MvccStore(clusterId);
    const versions = entries.filter(({ key }) => this.has(key)).map(versionOf);
    follow(
      store,
      versions.sort((a, b) => a.modRevision - b.modRevision),
    );
    store.advanceTo(revision);
    store.compact(revision);
    return store;
  }

  #apply(changes: readonly EntryChange[]): void {
    const store = this.#store!;
    const versions = changes.filter((change) => this.has(keyOf(change))).map(versionOfChange);
    if (versions.length === 0) return;
    follow(store, versions);
    this.#tell({ kind: "changes", keys: versions.map(({ key }) => key) });
    const { events } = store;
    if (events.length <= HISTORY_CHANGES_MAX && events.bytes <= HISTORY_BYTES_MAX) return;
    this.forgetBefore(events.at(events.length >> 1).modRevision);
  }

  /** Until something is found that the watch did not tell of, or the signal aborts. */
  async #compare(signal: AbortSignal): Promise<void> {
    const { registry, root, clock, log } = this.#options;
    while (!signal.aborted) {
      await clock.sleep(COMPARE_MS, signal);
      if (signal.aborted) return;
      const wasRight = await this.#orLog(async () => this.#isAsIn(await registry.list(root)), signal);
      if (wasRight === false) {
        log(warning("the registry holds what its watch did not tell of: it is read anew"));
        return;
      }
    }
  }

  /** What changed since that listing is newer there, or gone. */
  async #isAsIn({ entries, revision }: Listing): Promise<boolean> {
    await this.reaches(revision, PROBE_MS);
    const store = this.#store!;
    const isNewer = (key: string) => (store.index.get(toBytes(key))?.versions.at(-1)?.modRevision ?? 0) > revision;
    const listed = new Map(entries.filter(({ key }) => this.has(key)).map((entry) => [entry.key, entry]));
    for (const [key, { modRevision }] of listed) {
      if (store.index.get(toBytes(key))?.latest()?.modRevision !== modRevision && !isNewer(key)) return false;
    }
    for (const history of store.index.all()) {
      const key = fromBytes(history.key);
      if (history.latest() !== undefined && !listed.has(key) && !isNewer(key)) return false;
    }
    return true;
  }

  #answered(): void {
    this.#answeredMs = this.#options.clock.monotonicMs();
    this.#hasFailed = false;
  }

  #tell(news: MirrorNews): void {
    for (const listener of this.#listeners) listener(news);
  }

  #wakeWaiting(): void {
    for (const look of this.#waiting) look();
  }

  async #orLog<Result>(act: () => Promise<Result>, signal: AbortSignal): Promise<Result | null> {
    try {
      return await act();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (!signal.aborted) this.#options.log(refusal(error));
      return null;
    }
  }
}

/** Repeats these writes; a lease is known for as long as a key hangs on it. */
function follow(store: MvccStore, versions: readonly KeyVersion[]): void {
  const left = new Set<string>();
  for (const version of versions) {
    const before = store.index.get(version.key)?.latest()?.lease ?? NO_LEASE;
    if (before !== NO_LEASE && before !== version.lease) left.add(before);
    if (version.lease !== NO_LEASE && store.leases.get(version.lease) === undefined) {
      store.leases.add(version.lease, 0, 0);
    }
    store.replay({ kind: "write", versions: [version] }, 0);
  }
  for (const lease of left) if (store.leases.get(lease)?.keys.size === 0) store.leases.remove(lease);
}

function versionOf({ key, value, createRevision, modRevision, version, lease }: Entry): KeyVersion {
  return { key: toBytes(key), value: toBytes(value), createRevision, modRevision, version, lease: lease ?? NO_LEASE };
}

function versionOfChange(change: EntryChange): KeyVersion {
  if (change.kind === "put") return versionOf(change.entry);
  const { key, modRevision } = change;
  return { key: toBytes(key), value: "", createRevision: 0, modRevision, version: 0, lease: NO_LEASE };
}

function keyOf(change: EntryChange): string {
  return change.kind === "put" ? change.entry.key : change.key;
}

function toBytes(text: string): string {
  return Buffer.from(text).toString("latin1");
}

function fromBytes(bytes: string): string {
  return Buffer.from(bytes, "latin1").toString();
}
