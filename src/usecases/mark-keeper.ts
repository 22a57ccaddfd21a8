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

/** The cluster this machine has followed, where its state is gone and the branch cannot say; null where that is none, or several. */
export async function markedCluster(files: FileStore, folder = MARK_FOLDER): Promise<string | null> {
  const names = (await files.list(folder)).flatMap((name) => /^(.+)\.json$/.exec(name)?.[1] ?? []);
  return names.length === 1 ? names[0]! : null;
}
