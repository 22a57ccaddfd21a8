import { constants } from "node:fs";
import { type FileHandle, open } from "node:fs/promises";
import { frameRecord } from "./record-file.ts";

/** O_DSYNC makes one write what write and fdatasync are together, in one turn of the thread pool instead of two. */
const FLAGS = constants.O_WRONLY | constants.O_CREAT | constants.O_APPEND | constants.O_DSYNC;

interface Waiter {
  readonly upTo: number;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/**
 * An append-only file with group commit: while one batch is on its way to the disk the next one gathers. The first failure
 * is the last thing it does: what reached the disk is unknown from then on, so every later wait rejects with it.
 */
export class LogFile {
  readonly #handle: FileHandle;
  readonly #onDurable: (mark: number) => void;
  readonly #after: Promise<void>;
  #pending: Buffer[] = [];
  #pendingMark = 0;
  #appended = 0;
  #durable = 0;
  #bytes: number;
  #waiters: Waiter[] = [];
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;

  private constructor(handle: FileHandle, bytes: number, onDurable: (mark: number) => void, after: Promise<void>) {
    this.#handle = handle;
    this.#bytes = bytes;
    this.#onDurable = onDurable;
    this.#after = after;
  }

  /**
   * `onDurable` is told the mark of the last record of each batch once it is on the disk. Nothing is written before `after`
   * resolves; where it rejects, so does everything here.
   */
  static async open(path: string, onDurable: (mark: number) => void, after = Promise.resolve()): Promise<LogFile> {
    const handle = await open(path, FLAGS, 0o600);
    return new LogFile(handle, (await handle.stat()).size, onDurable, after);
  }

  /** Its size once everything appended has been written. */
  get bytes(): number {
    return this.#bytes;
  }

  append(payload: Buffer, mark: number): void {
    const frame = frameRecord(payload);
    this.#pending.push(frame);
    this.#pendingMark = mark;
    this.#appended++;
    this.#bytes += frame.length;
    this.#writing ??= this.#writeAll();
  }

  /** Resolves once everything appended so far is on the disk. */
  settled(): Promise<void> {
    if (this.#failure !== undefined) return Promise.reject(this.#failure);
    if (this.#durable === this.#appended) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ upTo: this.#appended, resolve, reject }));
  }

  async close(): Promise<void> {
    await this.#writing;
    await this.#handle.close();
  }

  async #writeAll(): Promise<void> {
    try {
      // A turn later even where there is nothing to wait for: whoever appends in this one shares the batch.
      await this.#after;
      while (this.#pending.length > 0) {
        const batch = this.#pending;
        const mark = this.#pendingMark;
        this.#pending = [];
        await this.#write(batch.length === 1 ? batch[0]! : Buffer.concat(batch));
        this.#durable += batch.length;
        this.#onDurable(mark);
        const ready = this.#waiters.findIndex(({ upTo }) => upTo > this.#durable);
        for (const waiter of this.#waiters.splice(0, ready === -1 ? this.#waiters.length : ready)) waiter.resolve();
      }
    } catch (error) {
      this.#failure = error as Error;
      for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#failure);
    }
    this.#writing = undefined;
  }

  async #write(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) at += (await this.#handle.write(bytes, at)).bytesWritten;
  }
}
