import { decodeStandaloneMark, encodeStandaloneMark, type StandaloneMark } from "../codec/standalone-mark.ts";
import type { FileStore } from "../ports/file-store.ts";

/** Beside the state directory, so that a machine whose state was deleted goes forward only, all the same. */
export const MARK_FOLDER = "/var/lib/fleet-mark";

/** The second copy of how far a standalone machine has come: `/var/lib/fleet-mark/<cluster>.json`. */
export class MarkKeeper {
  readonly #files: FileStore;
  readonly #path: string;

  constructor(files: FileStore, cluster: string, folder = MARK_FOLDER) {
    this.#files = files;
    this.#path = `${folder}/${cluster}.json`;
  }

  async read(): Promise<StandaloneMark | null> {
    return decodeStandaloneMark(await this.#files.read(this.#path));
  }

  async write(mark: StandaloneMark): Promise<void> {
    await this.#files.write(this.#path, encodeStandaloneMark(mark), { mode: 0o600 });
  }
}
