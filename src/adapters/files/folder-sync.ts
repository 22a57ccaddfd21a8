import { constants } from "node:fs";
import { open } from "node:fs/promises";

/**
 * Makes entries of a folder last. Whoever asks while one sync of a folder is under way shares the next one, which begins after all their
 * changes: hundreds of files written at once need a few syncs of their folder, and not one each.
 */
export class FolderSync {
  readonly #running = new Map<string, Promise<void>>();
  readonly #next = new Map<string, Promise<void>>();
  readonly #sync: (path: string) => Promise<void>;

  constructor(sync: (path: string) => Promise<void> = syncFolder) {
    this.#sync = sync;
  }

  /** Resolves once everything that was done in the folder before the call is on the disk. */
  sync(path: string): Promise<void> {
    const running = this.#running.get(path);
    if (running === undefined) return this.#start(path);
    const waiting = this.#next.get(path);
    if (waiting !== undefined) return waiting;
    // Its failure is told to those who wait for it; the next sync is another one.
    const next = running.catch(() => undefined).then(() => this.#start(path));
    this.#next.set(path, next);
    return next;
  }

  #start(path: string): Promise<void> {
    this.#next.delete(path);
    const run = this.#sync(path).finally(() => {
      if (this.#running.get(path) === run) this.#running.delete(path);
    });
    this.#running.set(path, run);
    return run;
  }
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, constants.O_RDONLY | constants.O_DIRECTORY);
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}
