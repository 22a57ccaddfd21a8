import { ProcessDied } from "../adapters/memory/memory-file-store.ts";

/** A running daemon and the way to end it: `crash` without a word, `stop` as systemd would ask it to. */
export class SimDaemon {
  readonly #abort = new AbortController();
  readonly done: Promise<void>;

  constructor(run: (signal: AbortSignal) => Promise<void>) {
    this.done = run(this.#abort.signal).catch((error: unknown) => {
      if (!(error instanceof ProcessDied)) throw error;
    });
  }

  async stop(): Promise<void> {
    this.#abort.abort(null);
    await this.done;
  }
}
