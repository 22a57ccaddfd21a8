import { decodeDeliveredPaths, encodeDeliveredPaths } from "../codec/delivered-paths.ts";
import { SECRETS_ROOT } from "../domain/secret/secret-name.ts";
import { FILES_ROOT } from "../domain/spec/delivered-file.ts";
import type { InstalledFile } from "../domain/tasks/task.ts";
import type { FileStore, StagedFile } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { SecretReader } from "../ports/secret-reader.ts";

/**
 * Files that units read, on their machine's disk, and secrets, in its memory. Files outlast a reboot, after which nobody knows what was owned: so what was ever written
 * is remembered by its path, before it is there, and what no unit wants any more is removed by that memory and by nothing else.
 */
export class DeliveredFiles {
  readonly #files: FileStore;
  readonly #memory: string;
  readonly #secrets: SecretReader | null;
  /** Whether what an earlier process left of secrets was looked for. */
  #isSwept = false;
  /** Read once, because nobody else writes it. */
  #paths: Set<string> | null = null;
  /** Some are gone that are still remembered on disk. */
  #isOutdated = false;

  /** `memory`: the path of its own file. `secrets`: null where this process has no key, and reads none. */
  constructor(files: FileStore, memory: string, secrets: SecretReader | null) {
    this.#files = files;
    this.#memory = memory;
    this.#secrets = secrets;
  }

  /** What will be written: on disk before the first of it is. */
  async remember(files: readonly InstalledFile[]): Promise<void> {
    const known = await this.#known();
    const fresh = files.map(({ path }) => path).filter((path) => lasts(path) && !known.has(path));
    if (fresh.length > 0) await this.#keep(new Set([...known, ...fresh]));
  }

  /** Rejects as the disk says, with `account-unknown`, or with `secret-unreadable`, which names the secret. */
  async stage(file: InstalledFile): Promise<void> {
    const content = await this.#contentOf(file);
    try {
      await this.#files.stage(file.path, content, asOf(file));
    } finally {
      if (isSealed(file) && typeof content !== "string") content.fill(0);
    }
  }

  /** Whether it is there with its contents, mode and owner. An owner that the machine does not know any more has nothing. */
  async holds(file: InstalledFile): Promise<boolean> {
    try {
      return await this.#files.holds(file.path, await this.#contentOf(file), asOf(file));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      // Of what cannot be read any more, since the machine has another key, nobody can say that it is not there.
      return error.code === UNREADABLE;
    }
  }

  async #contentOf(file: InstalledFile): Promise<string | Uint8Array> {
    return isSealed(file) ? this.#open(file) : contentOf(file);
  }

  async #open({ path, text }: InstalledFile): Promise<Uint8Array> {
    const name = path.slice(path.lastIndexOf("/") + 1);
    const unread = (why: string) => new OperationError(UNREADABLE, `the secret ${name}: ${why}`);
    if (this.#secrets === null) throw unread("this machine has no key");
    try {
      return await this.#secrets.read(text);
    } catch (error) {
      throw error instanceof OperationError ? unread(error.message) : error;
    }
  }

  /** With the folders it leaves empty. */
  async remove(path: string): Promise<void> {
    await this.#files.remove(path, { prune: lasts(path) ? FILES_ROOT : SECRETS_ROOT });
    if ((await this.#known()).delete(path)) this.#isOutdated = true;
  }

  /** Removes what is not among `kept`, which is asked for where there is anything; what cannot be removed now is tried again by the next call. */
  async sweep(kept: () => ReadonlySet<string>): Promise<void> {
    if (!this.#isSwept) await this.#sweepSecrets(kept());
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

  /** What a process that was killed has left in memory: values laid ready, and those of units that are gone. */
  async #sweepSecrets(kept: ReadonlySet<string>): Promise<void> {
    try {
      for (const service of await this.#files.list(SECRETS_ROOT)) {
        for (const name of await this.#files.list(`${SECRETS_ROOT}/${service}`)) {
          const path = `${SECRETS_ROOT}/${service}/${name}`;
          if (!kept.has(path)) await this.#files.remove(path, { prune: SECRETS_ROOT });
        }
      }
      this.#isSwept = true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
    }
  }

  /** What is there is somebody else's from now on. */
  async forget(): Promise<void> {
    if ((await this.#known()).size > 0 || this.#isOutdated) await this.#keep(new Set());
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

/** A secret, which lies in memory as what it says and in the store as it is in git. */
export function isSealed({ delivery }: InstalledFile): boolean {
  return delivery?.encoding === "age";
}

/** What is wrong with the unit, and no other one. */
const UNREADABLE = "secret-unreadable";

function contentOf({ text, delivery }: InstalledFile): string | Uint8Array {
  return delivery?.encoding === "base64" ? Uint8Array.from(atob(text), (character) => character.charCodeAt(0)) : text;
}

function asOf({ path, delivery }: InstalledFile): StagedFile {
  if (delivery === undefined) return {};
  const { mode, owner, group } = delivery;
  return { mode: Number.parseInt(mode, 8), owner, group, durable: lasts(path) };
}
