import { randomBytes, randomInt } from "node:crypto";
import { type FileHandle, open, readdir, readFile, rename, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";
import { FIRST_LEASE_ID, type MvccEffect, MvccStore } from "../mvcc/mvcc-store.ts";
import { decodeEffect, encodeEffect } from "./effect-codec.ts";
import { LogFile } from "./log-file.ts";
import { frameRecord, readRecords } from "./record-file.ts";

/**
 * Revisions kept readable behind the current one. A watcher that was away longer lists again, which is always right: 10,000
 * revisions are 100 s of the busiest rollout we plan for (100 writes a second).
 */
const HISTORY_REVISIONS = 10_000;
/** Compacting in strides keeps its cost, and its record in the log, away from single writes. */
const COMPACTION_STRIDE = 1_000;
/** Beyond this many bytes the older half goes too, whatever its age: the whole process is to stay well below 500 MB. */
const HISTORY_BYTES_MAX = 64 << 20;

/** A log is rewritten when it is this long and twice the last snapshot: then rewriting costs less than what was appended. */
const LOG_BYTES_MIN = 16 << 20;
/** Effects encoded between two turns of the event loop while a snapshot is written: about 5 ms. */
const SNAPSHOT_SLICE = 2_000;

const FORMAT = 1;

interface Meta {
  readonly format: number;
  /** Decimal 64-bit numbers. */
  readonly clusterId: string;
  readonly memberId: string;
}

/**
 * The store and its files: `log-N` holds what happened since `snapshot-N` was taken, and the highest snapshot and all logs
 * from its number on are the truth. Writes happen in memory first; nobody may be told of one before `settled` resolves, or
 * shown a revision beyond `durableRevision`.
 */
export class DurableStore {
  readonly store: MvccStore;
  readonly meta: Meta;
  readonly #directory: string;
  readonly #listeners = new Set<() => void>();
  #number: number;
  #log!: LogFile;
  #durableRevision: number;
  #snapshotBytes: number;
  /** What the log before this one still has under way. */
  #draining: Promise<void> | undefined;
  #rotating: Promise<void> | undefined;
  #rotationFailure: Error | undefined;

  private constructor(directory: string, meta: Meta, loaded: Loaded) {
    this.#directory = directory;
    this.meta = meta;
    this.store = loaded.store;
    this.#number = loaded.number;
    this.#snapshotBytes = loaded.snapshotBytes;
    this.#durableRevision = loaded.store.revision;
  }

  /** Loads what the directory holds. The caller holds its lock. */
  static async open(directory: string, nowMs: number): Promise<DurableStore> {
    const meta = await openMeta(directory);
    const loaded = await load(directory, meta, nowMs);
    const durable = new DurableStore(directory, meta, loaded);
    durable.#log = await durable.#openLog(loaded.number);
    durable.store.subscribe((effect) => durable.#append(effect));
    return durable;
  }

  /** Nothing up to it can be lost any more. */
  get durableRevision(): number {
    return this.#durableRevision;
  }

  /** Bytes of its files, about. */
  get bytes(): number {
    return this.#log.bytes + this.#snapshotBytes;
  }

  /** Resolves once everything that happened so far is on the disk; rejects where the disk failed. */
  settled(): Promise<void> {
    return this.#draining === undefined ? this.#log.settled() : this.#draining.then(() => this.#log.settled());
  }

  /** Calls it whenever `durableRevision` may have risen. */
  onDurable(listener: () => void): void {
    this.#listeners.add(listener);
  }

  offDurable(listener: () => void): void {
    this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    await this.#rotating;
    await this.#log.close();
  }

  #append(effect: MvccEffect): void {
    this.#log.append(encodeEffect(effect), this.store.revision);
    if (effect.kind !== "write") return;
    this.#compactOldHistory();
    const isDue = this.#log.bytes >= Math.max(LOG_BYTES_MIN, 2 * this.#snapshotBytes);
    if (isDue && this.#rotationFailure === undefined) this.#rotating ??= this.#rotate();
  }

  #compactOldHistory(): void {
    const target = this.#historyStart();
    if (target <= this.store.compactedRevision) return;
    // Not within the write that is being told of: others have not heard of it yet.
    queueMicrotask(() => {
      if (target > this.store.compactedRevision) this.store.compact(target);
    });
  }

  #historyStart(): number {
    const { events, revision, compactedRevision } = this.store;
    if (events.bytes > HISTORY_BYTES_MAX) return events.at(events.length >> 1).modRevision;
    const start = revision - HISTORY_REVISIONS;
    return start >= Math.max(0, compactedRevision) + COMPACTION_STRIDE ? start : compactedRevision;
  }

  /** A new log from now on; then the store as it was at this moment, in slices, beside it; then the old files go. */
  async #rotate(): Promise<void> {
    try {
      const old = this.#log;
      let drain!: (drained: Promise<void>) => void;
      const drained = new Promise<void>((resolve) => {
        drain = resolve;
      });
      const next = await this.#openLog(this.#number + 1, drained);
      const effects = this.store.snapshot();
      this.#draining = old.settled();
      drain(this.#draining);
      this.#log = next;
      this.#number++;
      await this.#draining;
      this.#draining = undefined;
      await old.close();
      this.#snapshotBytes = await writeSnapshot(this.#directory, this.#number, effects);
      await removeOthers(this.#directory, this.#number);
    } catch (error) {
      // The old files stay and stay true: a snapshot is only there to save space. Tried again after the next start.
      this.#rotationFailure = error as Error;
    }
    this.#rotating = undefined;
  }

  async #openLog(number: number, after?: Promise<void>): Promise<LogFile> {
    const onDurable = (mark: number) => {
      this.#durableRevision = mark;
      for (const listener of this.#listeners) listener();
    };
    const log = await LogFile.open(join(this.#directory, `log-${number}`), onDurable, after);
    await syncDirectory(this.#directory);
    return log;
  }
}

interface Loaded {
  readonly store: MvccStore;
  /** Of the log to append to. */
  readonly number: number;
  readonly snapshotBytes: number;
}

async function load(directory: string, meta: Meta, nowMs: number): Promise<Loaded> {
  const names = await readdir(directory);
  for (const name of names) if (name.endsWith(".tmp")) await rm(join(directory, name));
  const snapshots = numbersOf(names, "snapshot-");
  const snapshot = snapshots[snapshots.length - 1];
  const logs = numbersOf(names, "log-").filter((number) => number >= (snapshot ?? 0));
  const store = new MvccStore(meta.clusterId, leaseIdsOfThisLife());
  let snapshotBytes = 0;
  if (snapshot !== undefined) snapshotBytes = await loadSnapshot(join(directory, `snapshot-${snapshot}`), store, nowMs);
  let cutShort: string | undefined;
  for (const number of logs) {
    const path = join(directory, `log-${number}`);
    const bytes = await readFile(path);
    // A later log is written only once the earlier one is whole on the disk.
    if (cutShort !== undefined && bytes.length > 0) throw damaged(cutShort);
    const { payloads, validBytes } = readRecords(bytes);
    for (const payload of payloads) store.replay(decodeEffect(payload), nowMs);
    if (validBytes === bytes.length) continue;
    await truncate(path, validBytes);
    cutShort = path;
  }
  await removeOthers(directory, snapshot ?? 0);
  return { store, number: logs[logs.length - 1] ?? snapshot ?? 1, snapshotBytes };
}

/** The last record says how many there were before it: a snapshot is whole or it is not one. */
async function loadSnapshot(path: string, store: MvccStore, nowMs: number): Promise<number> {
  const bytes = await readFile(path);
  const { payloads, validBytes } = readRecords(bytes);
  const last = payloads[payloads.length - 1];
  const isWhole = validBytes === bytes.length && last?.toString("latin1") === trailer(payloads.length - 1);
  if (!isWhole) throw damaged(path);
  for (const payload of payloads.slice(0, -1)) store.replay(decodeEffect(payload), nowMs);
  return bytes.length;
}

async function writeSnapshot(directory: string, number: number, effects: readonly MvccEffect[]): Promise<number> {
  const path = join(directory, `snapshot-${number}`);
  const handle = await open(`${path}.tmp`, "w", 0o600);
  let bytes = 0;
  try {
    for (let at = 0; at < effects.length; at += SNAPSHOT_SLICE) {
      const slice = effects.slice(at, at + SNAPSHOT_SLICE);
      bytes += await writeRecords(handle, slice.map(encodeEffect));
    }
    bytes += await writeRecords(handle, [Buffer.from(trailer(effects.length), "latin1")]);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(`${path}.tmp`, path);
  await syncDirectory(directory);
  return bytes;
}

async function writeRecords(handle: FileHandle, payloads: readonly Buffer[]): Promise<number> {
  const bytes = Buffer.concat(payloads.map(frameRecord));
  await handle.writeFile(bytes);
  return bytes.length;
}

function trailer(count: number): string {
  return `end of ${count}`;
}

/** Files of numbers before this one: their effects are in its snapshot. */
async function removeOthers(directory: string, number: number): Promise<void> {
  for (const name of await readdir(directory)) {
    const own = /^(?:log|snapshot)-(\d+)$/.exec(name);
    if (own !== null && Number(own[1]) < number) await rm(join(directory, name));
  }
}

function numbersOf(names: readonly string[], prefix: string): readonly number[] {
  const numbers = names.filter((name) => name.startsWith(prefix)).map((name) => name.slice(prefix.length));
  return numbers
    .filter((digits) => /^\d+$/.test(digits))
    .map(Number)
    .sort((a, b) => a - b);
}

async function openMeta(directory: string): Promise<Meta> {
  const path = join(directory, "meta.json");
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    const meta: Meta = { format: FORMAT, clusterId: randomUint64(), memberId: randomUint64() };
    await writeFile(`${path}.tmp`, `${JSON.stringify(meta)}\n`, { mode: 0o600, flush: true });
    await rename(`${path}.tmp`, path);
    await syncDirectory(directory);
    return meta;
  }
  const meta = parseMeta(text);
  if (meta === undefined) throw damaged(path);
  if (meta.format === FORMAT) return meta;
  throw new OperationError(
    "registry-data-foreign",
    `${directory} is of format ${meta.format}, this version writes ${FORMAT}`,
  );
}

function parseMeta(text: string): Meta | undefined {
  try {
    const { format, clusterId, memberId } = JSON.parse(text);
    const isMeta = typeof format === "number" && [clusterId, memberId].every((id) => /^\d{1,20}$/.test(String(id)));
    return isMeta ? { format, clusterId, memberId } : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

function randomUint64(): string {
  return String(randomBytes(8).readBigUInt64LE() | 1n);
}

function damaged(path: string): OperationError {
  return new OperationError("registry-data-damaged", `${path} is damaged`, {
    next: "restore the registry's directory from a backup, or start with an empty one and adopt the machines",
  });
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A folder put back from a backup gives out none of the ids that were given out since; as etcd, whose ids hold the time of its start. */
function leaseIdsOfThisLife(): bigint {
  return FIRST_LEASE_ID + BigInt(randomInt(2 ** 40)) * 1_000_000n;
}
