import { decodeDeliveredPaths, encodeDeliveredPaths } from "../codec/delivered-paths.ts";
import { FILES_ROOT } from "../domain/spec/delivered-file.ts";
import type { InstalledFile } from "../domain/tasks/task.ts";
import type { FileStore, StagedFile } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";

/**
 * Files that units read, on their machine's disk. They outlast a reboot, after which nobody knows what was owned: so what was ever written
 * is remembered by its path, before it is there, and what no unit wants any more is removed by that memory and by nothing else.
 */
export class DeliveredFiles {
  readonly #files: FileStore;
  readonly #memory: string;
  /** Read once, because nobody else writes it. */
  #paths: Set<string> | null = null;
  /** Some are gone that are still remembered on disk. */
  #isOutdated = false;

  /** `memory`: the path of its own file. */
  constructor(files: FileStore, memory: string) {
    this.#files = files;
    this.#memory = memory;
  }

  /** What will be written: on disk before the first of it is. */
  async remember(files: readonly InstalledFile[]): Promise<void> {
    const known = await this.#known();
    const fresh = files.map(({ path }) => path).filter((path) => lasts(path) && !known.has(path));
    if (fresh.length > 0) await this.#keep(new Set([...known, ...fresh]));
  }

  async stage(file: InstalledFile): Promise<void> {
    await this.#files.stage(file.path, contentOf(file), asOf(file));
  }

  /** Whether it is there with its contents, mode and owner. An owner that the machine does not know any more has nothing. */
  async holds(file: InstalledFile): Promise<boolean> {
    try {
      return await this.#files.holds(file.path, contentOf(file), asOf(file));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return false;
    }
  }

  /** With the folders it leaves empty. */
  async remove(path: string): Promise<void> {
    await this.#files.remove(path, { prune: FILES_ROOT });
    if ((await this.#known()).delete(path)) this.#isOutdated = true;
  }

  /** Removes what is not among `kept`, which is asked for where there is anything; what cannot be removed now is tried again by the next call. */
  async sweep(kept: () => ReadonlySet<string>): Promise<void> {
    const known = await this.#known();
    if (known.size === 0 && !this.#isOutdated) return;
    const wanted = kept();
    const stale = [...known].filter((path) => !wanted.has(path));
    if (stale.length === 0 && !this.#isOutdated) return;
    try {
      for (const path of stale) await this.remove(path);
      await this.#keep(await this.#known());
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
    }
  }

  async #known(): Promise<Set<string>> {
    this.#paths ??= new Set(decodeDeliveredPaths(await this.#files.read(this.#memory)).filter(lasts));
    return this.#paths;
  }

  async #keep(paths: Set<string>): Promise<void> {
    await this.#files.write(this.#memory, encodeDeliveredPaths([...paths].sort()), { mode: 0o600 });
    this.#paths = paths;
    this.#isOutdated = false;
  }
}

/** What lies elsewhere is in memory, and goes with a reboot. No path that leads out of the folder is believed, whoever wrote it here. */
function lasts(path: string): boolean {
  return path.startsWith(`${FILES_ROOT}/`) && !path.split("/").includes("..");
}

function contentOf({ text, delivery }: InstalledFile): string | Uint8Array {
  return delivery?.encoding === "base64" ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) : text;
}

function asOf({ path, delivery }: InstalledFile): StagedFile {
  if (delivery === undefined) return {};
  const { mode, owner, group } = delivery;
  return { mode: Number.parseInt(mode, 8), owner, group, durable: lasts(path) };
}
