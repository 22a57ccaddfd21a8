import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { FileStore } from "../ports/file-store.ts";
import type { UnitManager } from "../ports/unit-manager.ts";

/**
 * One daemon's life: what it asks of its machine arrives only while it lives. It can be told to die at a later call, so that a seed
 * reaches every place between two steps; jobs that systemd has already been given go on without it.
 */
export class MortalProcess {
  readonly #died: () => void;
  #callsLeft = Number.POSITIVE_INFINITY;
  #dead = false;

  /** `died` is called once, at the moment of death. */
  constructor(died: () => void) {
    this.#died = died;
  }

  /** Dies instead of its n-th call from now on. */
  dieAfter(calls: number): void {
    this.#callsLeft = calls;
  }

  kill(): void {
    if (this.#dead) return;
    this.#dead = true;
    this.#died();
  }

  /** The disk as this process reaches it; it also dies where the disk says so, in the middle of a write. */
  files(inner: FileStore): FileStore {
    return {
      read: (path) => this.#ask(() => inner.read(path)),
      write: (path, text, options) => this.#ask(() => inner.write(path, text, options)),
      stage: (path, content, as) => this.#ask(() => inner.stage(path, content, as)),
      holds: (path, content, as) => this.#ask(() => inner.holds(path, content, as)),
      publish: (path) => this.#ask(() => inner.publish(path)),
      unstage: (path) => this.#ask(() => inner.unstage(path)),
      remove: (path, options) => this.#ask(() => inner.remove(path, options)),
      move: (from, to) => this.#ask(() => inner.move(from, to)),
      list: (path) => this.#ask(() => inner.list(path)),
      fingerprints: (paths) => this.#ask(() => inner.fingerprints(paths)),
    };
  }

  manager(inner: UnitManager): UnitManager {
    return {
      list: (names) => this.#ask(() => inner.list(names)),
      details: (unit) => this.#ask(() => inner.details(unit)),
      sources: (name) => this.#ask(() => inner.sources(name)),
      start: (name, queued) => this.#ask(() => inner.start(name, queued)),
      stop: (name) => this.#ask(() => inner.stop(name)),
      reloadUnit: (name) => this.#ask(() => inner.reloadUnit(name)),
      reload: () => this.#ask(() => inner.reload()),
      resetFailed: (name) => this.#ask(() => inner.resetFailed(name)),
      onChange: (wake, signal) => inner.onChange(wake, signal),
      journal: (name, lines) => this.#ask(() => inner.journal(name, lines)),
      close: () => inner.close(),
    };
  }

  async #ask<T>(act: () => Promise<T>): Promise<T> {
    if (!this.#dead && --this.#callsLeft < 0) this.kill();
    if (this.#dead) throw new ProcessDied("the process is gone");
    try {
      const answer = await act();
      if (this.#dead) throw new ProcessDied("the process is gone");
      return answer;
    } catch (error) {
      if (error instanceof ProcessDied) this.kill();
      throw error;
    }
  }
}
