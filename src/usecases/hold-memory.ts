import { decodeKeptHolds, encodeKeptHolds, type KeptHold } from "../codec/kept-holds.ts";
import type { FileStore } from "../ports/file-store.ts";

/** What an agent was asked to leave alone, on its own disk: `/var/lib/fleet/agent/holds.json`. No file where nothing is held. */
export class HoldMemory {
  readonly #files: FileStore;
  readonly #path: string;

  constructor(files: FileStore, stateFolder: string) {
    this.#files = files;
    this.#path = `${stateFolder}/holds.json`;
  }

  /** A damaged or newer file counts as none: whoever is waiting at the machine sees that nothing is held, and asks again. */
  async read(): Promise<readonly KeptHold[]> {
    return decodeKeptHolds(await this.#files.read(this.#path));
  }

  async write(holds: readonly KeptHold[]): Promise<void> {
    if (holds.length === 0) await this.#files.remove(this.#path);
    else await this.#files.write(this.#path, encodeKeptHolds(holds), { mode: 0o600 });
  }
}
