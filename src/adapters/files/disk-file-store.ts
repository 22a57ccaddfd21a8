import {
  closeSync,
  constants,
  fchmodSync,
  fchownSync,
  fstatSync,
  fsync,
  mkdirSync,
  open as openCallback,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { lstat, mkdir, open, readdir, readlink, rename, rmdir, symlink, unlink } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { promisify } from "node:util";
import type { FileFingerprint, FileStore, StagedFile } from "../../ports/file-store.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { accountNumber } from "./accounts.ts";
import { diskError } from "./disk-error.ts";
import { fingerprint } from "./file-fingerprint.ts";
import { FolderSync } from "./folder-sync.ts";

/** The largest of ours is a machine's set: 3,000 placements are about 1 MB. Something bigger is not a file of ours. */
const FILE_BYTES_MAX = 64 * 1024 * 1024;

/** Read at once: such a call is over before it could be handed to another thread. */
const IN_MEMORY = "/run/";

/**
 * A real disk. A target that is a symbolic link is replaced by a write, never followed. One process writes a path, one write at
 * a time: the temporary file has a fixed name, so that a crash leaves at most one and the next write or remove takes it away.
 */
export class DiskFileStore implements FileStore {
  readonly #folders = new FolderSync();
  /** What is staged to last, with the first of the folders that were made for it. */
  readonly #durable = new Map<string, string | undefined>();

  async read(path: string): Promise<string | null> {
    try {
      if (path.startsWith(IN_MEMORY)) return readNow(path);
      // Without NONBLOCK, opening a pipe somebody put there waits for ever.
      const file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
      try {
        refuseUnreadable(path, await file.stat());
        return await file.readFile("utf8");
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error)) return null;
      throw diskError("read", path, error);
    }
  }

  async write(path: string, text: string, options: { mode?: number; durable?: boolean } = {}): Promise<void> {
    const { mode = 0o644, durable = true } = options;
    try {
      if (durable) await this.#writeDurably(path, text, mode);
      else writeInMemory(path, text, mode);
    } catch (error) {
      await unlink(temporaryOf(path)).catch(() => undefined); // What went wrong before is the error to tell.
      throw diskError("write", path, error);
    }
  }

  async #writeDurably(path: string, text: string, mode: number): Promise<void> {
    const folder = dirname(path);
    const temporary = temporaryOf(path);
    let made: string | undefined;
    try {
      await writeNew(temporary, text, mode);
    } catch (error) {
      if (!isInTheWay(error)) throw error;
      made = await mkdir(folder, { recursive: true, mode: 0o755 });
      await removeFile(temporary);
      await writeNew(temporary, text, mode);
    }
    await rename(temporary, path);
    await this.#syncFolders(folder, made);
  }

  async stage(path: string, content: string | Uint8Array, as: StagedFile = {}): Promise<void> {
    const { mode = 0o644, owner, group, durable = false } = as;
    this.#durable.delete(path);
    try {
      const ids = idsOf({ owner, group });
      const made = stageInMemory(path, content, mode, ids);
      if (!durable) return;
      await syncPath(temporaryOf(path));
      this.#durable.set(path, made);
    } catch (error) {
      rmSync(temporaryOf(path), { force: true });
      throw diskError("write", path, error);
    }
  }

  async publish(path: string): Promise<void> {
    try {
      renameSync(temporaryOf(path), path);
      if (!this.#durable.has(path)) return;
      const made = this.#durable.get(path);
      this.#durable.delete(path);
      await this.#syncFolders(dirname(path), made);
    } catch (error) {
      throw diskError("write", path, error);
    }
  }

  async holds(
    path: string,
    content: string | Uint8Array,
    { mode = 0o644, owner, group }: StagedFile,
  ): Promise<boolean> {
    const bytes = typeof content === "string" ? Buffer.from(content) : content;
    try {
      const ids = idsOf({ owner, group });
      const file = await open(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
      try {
        const about = await file.stat();
        if (!about.isFile() || about.size !== bytes.length || (about.mode & 0o7777) !== mode) return false;
        return about.uid === ids.uid && about.gid === ids.gid && (await file.readFile()).equals(bytes);
      } finally {
        await file.close();
      }
    } catch (error) {
      if (isMissing(error) || (error as NodeJS.ErrnoException).code === "ELOOP") return false;
      throw diskError("read", path, error);
    }
  }

  async unstage(path: string): Promise<void> {
    try {
      if (await removeFile(temporaryOf(path))) await removeEmptyFolder(dirname(path));
    } catch (error) {
      throw diskError("remove", temporaryOf(path), error);
    }
  }

  /** Durable: a file that was removed does not come back with a crash. */
  async remove(path: string, options: { prune?: boolean | string } = {}): Promise<void> {
    const { prune = false } = options;
    try {
      await removeFile(temporaryOf(path));
      let isChanged = await removeFile(path);
      let folder = dirname(path);
      for (let isNext = prune !== false; isNext && (await removeEmptyFolder(folder)); ) {
        folder = dirname(folder);
        isChanged = true;
        isNext = typeof prune === "string" && folder.startsWith(`${prune}/`);
      }
      if (isChanged) await this.#folders.sync(folder);
    } catch (error) {
      if (!isMissing(error)) throw diskError("remove", path, error);
    }
  }

  async move(from: string, to: string): Promise<void> {
    const temporary = temporaryOf(to);
    try {
      const about = await lstat(from);
      if (!about.isFile() && !about.isSymbolicLink()) {
        throw new OperationError("not-a-file", `cannot move ${from}: it is neither a file nor a symbolic link`);
      }
      // A copy, and never a rename: the two places may be on different file systems, and one way is enough to be sure of.
      if (about.isFile()) await this.write(to, (await this.read(from)) ?? "", { mode: about.mode & 0o7777 });
      else {
        const made = await mkdir(dirname(to), { recursive: true, mode: 0o755 });
        await removeFile(temporary);
        await symlink(await readlink(from), temporary);
        await rename(temporary, to);
        await this.#syncFolders(dirname(to), made);
      }
    } catch (error) {
      if (isMissing(error)) return;
      throw diskError("move", from, error);
    }
    await this.remove(from);
  }

  async list(path: string): Promise<readonly string[]> {
    try {
      return (await readdir(path)).sort();
    } catch (error) {
      if (isMissing(error)) return [];
      throw diskError("list", path, error);
    }
  }

  /** In one go and not by the thread pool, whose hand-over costs ten times the call: 2 µs each on a disk of this machine. */
  async fingerprints(paths: readonly string[]): Promise<readonly (FileFingerprint | null)[]> {
    return paths.map(fingerprint);
  }

  /** Makes the entries last: the file's in its folder, and each new folder's in the one above it. */
  async #syncFolders(folder: string, firstMade: string | undefined): Promise<void> {
    await this.#folders.sync(folder);
    if (firstMade === undefined) return;
    for (let made = folder; made.length >= firstMade.length; made = dirname(made)) {
      await this.#folders.sync(dirname(made));
    }
  }
}

function readNow(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  try {
    refuseUnreadable(path, fstatSync(file));
    return readFileSync(file, "utf8");
  } finally {
    closeSync(file);
  }
}

function refuseUnreadable(path: string, about: Stats): void {
  if (!about.isFile()) throw new OperationError("not-a-file", `${path} is not a regular file`);
  if (about.size > FILE_BYTES_MAX) throw new OperationError("file-too-large", `${path} has ${about.size} bytes`);
}

/** Hidden and with a suffix that is no unit type's: systemd looks at it in none of its folders. */
function temporaryOf(path: string): string {
  return join(dirname(path), `.${basename(path)}.fleet-new`);
}

/** What waits for the disk goes to another thread; what ends in the page cache does not. */
async function writeNew(path: string, text: string, mode: number): Promise<void> {
  const file = await openFile(path, "wx", mode);
  try {
    if (isLessByUmask(mode)) fchmodSync(file, mode);
    writeFileSync(file, text, "utf8");
    await syncFile(file);
  } finally {
    closeSync(file);
  }
}

const openFile = promisify<string, string, number, number>(openCallback);
const syncFile = promisify(fsync);

/** What need not outlast a reboot lies in memory (`/run`). */
function writeInMemory(path: string, text: string, mode: number): void {
  stageInMemory(path, text, mode);
  renameSync(temporaryOf(path), path);
}

function stageInMemory(path: string, content: string | Uint8Array, mode: number, ids: Ids = OWN): string | undefined {
  const temporary = temporaryOf(path);
  try {
    writeNewNow(temporary, content, mode, ids);
    return undefined;
  } catch (error) {
    if (!isInTheWay(error)) throw error;
    const made = mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    rmSync(temporary, { force: true });
    writeNewNow(temporary, content, mode, ids);
    return made;
  }
}

function writeNewNow(path: string, content: string | Uint8Array, mode: number, { uid, gid }: Ids): void {
  // Nobody else's while it is written, whoever is to read it then.
  const isOwn = uid === OWN.uid && gid === OWN.gid;
  const file = openSync(path, "wx", isOwn ? mode : mode & 0o700);
  try {
    writeFileSync(file, content);
    // The mode before the owner: afterwards it is not ours to change.
    if (!isOwn || isLessByUmask(mode)) fchmodSync(file, mode);
    if (!isOwn) fchownSync(file, uid, gid);
  } finally {
    closeSync(file);
  }
}

interface Ids {
  readonly uid: number;
  readonly gid: number;
}

const OWN: Ids = { uid: process.getuid!(), gid: process.getgid!() };

function idsOf({ owner, group }: Pick<StagedFile, "owner" | "group">): Ids {
  return {
    uid: owner === undefined ? OWN.uid : accountNumber("user", owner),
    gid: group === undefined ? OWN.gid : accountNumber("group", group),
  };
}

async function syncPath(path: string): Promise<void> {
  const file = await open(path, constants.O_RDONLY);
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}

/** The umask takes from what others may; no umask that lets root work takes from what is root's alone. */
function isLessByUmask(mode: number): boolean {
  return (mode & 0o177) !== 0;
}

/** The first file of its folder, or the first write after a crash that left a temporary one. */
function isInTheWay(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "EEXIST";
}

async function removeFile(path: string): Promise<boolean> {
  try {
    await unlink(path);
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

async function removeEmptyFolder(path: string): Promise<boolean> {
  try {
    await rmdir(path);
    return true;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    // EBUSY: somebody mounted something there; it stays.
    if (code === "ENOTEMPTY" || code === "EBUSY" || isMissing(error)) return false;
    throw error;
  }
}

function isMissing(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}
