import { decodeRegistryMark, encodeRegistryMark } from "../codec/registry-mark-record.ts";
import {
  judgeReplaced,
  markOf,
  type RegistryMark,
  type Replaced,
  type ShownRegistry,
} from "../domain/fencing/judge-replaced.ts";
import type { FileStore } from "../ports/file-store.ts";

/** In an engine's folder of what must survive a reboot. */
export const REGISTRY_MEMORY_FILE = "registry.json";

/** How far the registry had come, on an engine's own disk: the only place a registry cannot take it back from. */
export class RegistryMemory {
  readonly #files: FileStore;
  readonly #path: string;
  #mark: RegistryMark | null = null;
  /** What is on disk, as far as is known. */
  #saved: RegistryMark | null = null;

  constructor(files: FileStore, folder: string) {
    this.#files = files;
    this.#path = `${folder}/${REGISTRY_MEMORY_FILE}`;
  }

  get mark(): RegistryMark | null {
    return this.#mark;
  }

  async recall(): Promise<void> {
    this.#mark = decodeRegistryMark(await this.#files.read(this.#path));
    this.#saved = this.#mark;
  }

  /** Why this is not the registry that was known; null where it is, and then all that is new of it counts from now on. */
  judge(shown: ShownRegistry): Replaced | null {
    const because = judgeReplaced(shown, this.#mark);
    if (because !== null) return because;
    const mark = markOf(shown, this.#mark);
    if (!isSame(mark, this.#mark)) this.#mark = mark;
    return null;
  }

  /** Puts on disk what counts, where it is not there yet; rejects with OperationError where the disk does not take it. */
  async save(): Promise<void> {
    const mark = this.#mark;
    if (mark === null || mark === this.#saved) return;
    await this.#files.write(this.#path, encodeRegistryMark(mark), { mode: 0o600 });
    this.#saved = mark;
  }
}

function isSame(a: RegistryMark | null, b: RegistryMark | null): boolean {
  if (a === null || b === null) return a === b;
  return (
    a.clusterId === b.clusterId && a.epoch === b.epoch && a.term === b.term && a.seq === b.seq && a.commit === b.commit
  );
}
