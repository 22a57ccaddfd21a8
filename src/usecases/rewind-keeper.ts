import { decodeRewind, encodeRewind } from "../codec/rewind-record.ts";
import type { CommitId } from "../domain/names.ts";
import type { Rewind } from "../domain/trust/rewind.ts";
import type { FileStore } from "../ports/file-store.ts";
import { MARK_FOLDER } from "./mark-keeper.ts";

/**
 * The order to go back, beside the marks it overrules: only root writes there, and everybody of this machine may read it, for its engine is
 * nobody. It holds for one commit, until the machine's agent takes another.
 */
export class RewindKeeper {
  readonly #files: FileStore;
  readonly #path: string;

  constructor(files: FileStore, folder = MARK_FOLDER) {
    this.#files = files;
    this.#path = `${folder}/rewind`;
  }

  async read(): Promise<Rewind | null> {
    return decodeRewind(await this.#files.read(this.#path));
  }

  /** The order, where it names that very commit. */
  async to(commit: CommitId): Promise<Rewind | null> {
    const rewind = await this.read();
    return rewind?.commit === commit ? rewind : null;
  }

  async write(rewind: Rewind): Promise<void> {
    await this.#files.write(this.#path, encodeRewind(rewind));
  }

  async end(): Promise<void> {
    await this.#files.remove(this.#path);
  }
}

/** Whoever asks whether a machine may go back. */
export type Rewinds = Pick<RewindKeeper, "to">;
