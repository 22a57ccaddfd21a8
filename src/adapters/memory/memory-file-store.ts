import type { FileFingerprint, FileStore, StagedFile } from "../../ports/file-store.ts";
import { OperationError } from "../../ports/operation-error.ts";

export interface MemoryFile {
  readonly text: string;
  readonly mode: number;
  /** Bytes that are no text: then `text` has a character for each. */
  readonly isBinary?: true;
  /** Root's where not given. */
  readonly owner?: string;
  readonly group?: string;
  /** Where it points, of a symbolic link; only what reads as empty (`/dev/null`) is modelled. */
  readonly target?: string;
}

/** When a path last changed, and what took its place each time. */
interface Stamp {
  readonly atMs: number;
  readonly inode: number;
}

/** What the disk says no with; `null` is a healthy one. */
export type DiskFault = "disk-full" | "read-only" | null;

/** The process died in the middle of an operation; nobody is left to catch it, so it is no OperationError. */
export class ProcessDied extends Error {
  override readonly name = "ProcessDied";
}

/** Where a machine's memory file system lies: gone with every power-off, synced or not. */
const VOLATILE = "/run/";

/**
 * A disk with two layers: what programs see, and what is on the medium. A write is the same steps as on a real disk, each a
 * point where the process may die or the power may go.
 */
export class MemoryFileStore implements FileStore {
  #seen = new Map<string, MemoryFile>();
  #onMedium = new Map<string, MemoryFile>();
  /** Names in each folder. */
  #folders = new Map<string, Set<string>>([["/", new Set()]]);
  readonly #stamps = new Map<string, Stamp>();
  /** What is staged to last. */
  readonly #durable = new Set<string>();
  /** The machine's users and groups. */
  readonly accounts = new Set(["root", "nobody"]);
  readonly #wallMs: () => number;
  #changes = 0;
  #steps = 0;
  #diesAt = Number.POSITIVE_INFINITY;
  fault: DiskFault = null;

  /** `wallMs` tells the time of changes; without it none goes by. */
  constructor(wallMs: () => number = () => 0) {
    this.#wallMs = wallMs;
  }

  async read(path: string): Promise<string | null> {
    this.#live();
    if (this.#folders.has(path)) throw new OperationError("not-a-file", `${path} is not a regular file`);
    const file = this.#seen.get(path);
    if (file?.target !== undefined) throw new OperationError("not-a-file", `${path} is not a regular file`);
    return file?.text ?? null;
  }

  async write(path: string, text: string, options: { mode?: number; durable?: boolean } = {}): Promise<void> {
    const { mode = 0o644, durable = true } = options;
    this.#durable.delete(path);
    await this.#stage(path, { text, mode });
    await this.publish(path);
    // Nothing of the temporary file is on the medium by its own name: its folder was not synced while it had it.
    if (durable) this.#onMedium.set(path, { text, mode });
  }

  async stage(path: string, content: string | Uint8Array, as: StagedFile = {}): Promise<void> {
    this.#durable.delete(path);
    await this.#stage(path, this.#fileOf(content, as));
    if (as.durable === true) this.#durable.add(path);
  }

  #fileOf(content: string | Uint8Array, { mode = 0o644, owner = "root", group = "root" }: StagedFile): MemoryFile {
    for (const name of [owner, group]) {
      if (/^[0-9]+$/.test(name) || this.accounts.has(name)) continue;
      throw new OperationError("account-unknown", `there is no account ${name} on this machine`);
    }
    const isText = typeof content === "string";
    const text = isText ? content : Buffer.from(content).toString("latin1");
    return { text, mode, owner, group, ...(isText ? {} : { isBinary: true }) };
  }

  async holds(path: string, content: string | Uint8Array, as: StagedFile): Promise<boolean> {
    this.#live();
    const wanted = this.#fileOf(content, as);
    const file = this.#seen.get(path);
    if (file === undefined || file.target !== undefined || file.mode !== wanted.mode) return false;
    const isOwned = (file.owner ?? "root") === wanted.owner && (file.group ?? "root") === wanted.group;
    return isOwned && bytesOf(file).equals(bytesOf(wanted));
  }

  /** Somebody at the machine changes whose a file is, or who may read it. */
  change(path: string, about: Pick<Partial<MemoryFile>, "mode" | "owner" | "group">): void {
    this.#show(path, { ...this.#seen.get(path)!, ...about });
  }

  async #stage(path: string, file: MemoryFile): Promise<void> {
    this.#live();
    this.#mayWrite(path);
    if (this.#folders.has(path)) throw new OperationError("not-a-file", `cannot write ${path}: it is a folder`);
    this.#makeFolders(path, folderOf(path));
    this.#show(temporaryOf(path), { ...file, text: "" });
    await this.#step();
    this.#show(temporaryOf(path), file);
    await this.#step();
  }

  async publish(path: string): Promise<void> {
    this.#live();
    if (this.fault === "read-only") this.#mayWrite(path);
    const staged = this.#seen.get(temporaryOf(path));
    if (staged === undefined) throw new OperationError("disk-error", `cannot write ${path}: nothing was staged`);
    this.#hide(temporaryOf(path));
    this.#show(path, staged);
    await this.#step();
    if (this.#durable.delete(path)) this.#onMedium.set(path, staged);
  }

  async unstage(path: string): Promise<void> {
    this.#live();
    if (!this.#seen.has(temporaryOf(path))) return;
    if (this.fault === "read-only") this.#mayWrite(path);
    this.#hide(temporaryOf(path));
    await this.#step();
    this.#prune(folderOf(path));
  }

  async remove(path: string, options: { prune?: boolean | string } = {}): Promise<void> {
    this.#live();
    if (this.#seen.has(temporaryOf(path))) this.#hide(temporaryOf(path));
    if (this.#seen.has(path)) {
      if (this.fault === "read-only") this.#mayWrite(path);
      this.#hide(path);
      await this.#step();
      this.#onMedium.delete(path);
    }
    const { prune = false } = options;
    if (prune === false) return;
    for (let folder = folderOf(path); this.#prune(folder) && typeof prune === "string"; ) {
      folder = folderOf(folder);
      if (!folder.startsWith(`${prune}/`)) return;
    }
  }

  /** As between two file systems: there first, then away here. */
  async move(from: string, to: string): Promise<void> {
    this.#live();
    if (this.#folders.has(from)) throw new OperationError("not-a-file", `cannot move ${from}: it is a folder`);
    const file = this.#seen.get(from);
    if (file === undefined) return;
    await this.write(to, file.text, { mode: file.mode });
    if (file.target !== undefined) {
      this.#show(to, file);
      this.#onMedium.set(to, file);
    }
    await this.remove(from, { prune: false });
  }

  async list(path: string): Promise<readonly string[]> {
    this.#live();
    return this.names(path);
  }

  async fingerprints(paths: readonly string[]): Promise<readonly (FileFingerprint | null)[]> {
    this.#live();
    return paths.map((path) => this.#fingerprint(path));
  }

  #fingerprint(path: string): FileFingerprint | null {
    const { atMs = 0, inode = 0 } = this.#stamps.get(path) ?? {};
    const stamp = { mtimeMs: atMs, ctimeMs: atMs, inode };
    const file = this.#seen.get(path);
    if (file === undefined) return this.#folders.has(path) ? { kind: "folder", size: 0, target: null, ...stamp } : null;
    const { target = null, text } = file;
    return { kind: target === null ? "file" : "link", size: text.length, target, ...stamp };
  }

  /** Somebody at the machine puts a link to `/dev/null` there, which is how systemd's units are masked. */
  mask(path: string): void {
    this.#addFolders(folderOf(path));
    this.#show(path, { text: "", mode: 0o777, target: "/dev/null" });
  }

  /** And takes it away again, if it is still there. */
  unmask(path: string): void {
    if (this.#seen.get(path)?.target !== undefined) this.#hide(path);
  }

  /** The names in a folder, for models of programs that read this disk. */
  names(path: string): string[] {
    return [...(this.#folders.get(path) ?? [])].sort();
  }

  /** The file as any program sees it. */
  peek(path: string): MemoryFile | null {
    return this.#seen.get(path) ?? null;
  }

  /** How many steps were taken so far: the points at which the process could have died. */
  get steps(): number {
    return this.#steps;
  }

  /** The process dies after that many more steps: the step and every later operation reject with ProcessDied. */
  dieAfter(steps: number): void {
    this.#diesAt = this.#steps + steps;
  }

  /** A new process on the same disk: everything that was seen is there, half-done writes as they were left. */
  restartProcess(): void {
    this.#diesAt = Number.POSITIVE_INFINITY;
  }

  /** Power off and on: what was not synced is lost, and everything under /run. */
  powerOff(): void {
    this.restartProcess();
    for (const path of this.#onMedium.keys()) if (path.startsWith(VOLATILE)) this.#onMedium.delete(path);
    this.#seen = new Map();
    this.#folders = new Map([["/", new Set()]]);
    for (const [path, file] of this.#onMedium) {
      this.#addFolders(folderOf(path));
      this.#show(path, file);
    }
  }

  #live(): void {
    if (this.#steps >= this.#diesAt) throw new ProcessDied(`died at step ${this.#steps}`);
  }

  async #step(): Promise<void> {
    this.#steps++;
    this.#live();
    // Others run between two steps, as they do on a real disk.
    await Promise.resolve();
  }

  #mayWrite(path: string): void {
    if (this.fault !== null) throw new OperationError(this.fault, `cannot write ${path}: ${this.fault}`);
  }

  #prune(folder: string): boolean {
    if (this.#folders.get(folder)?.size !== 0) return false;
    this.#folders.delete(folder);
    this.#folders.get(folderOf(folder))?.delete(nameOf(folder));
    return true;
  }

  #makeFolders(path: string, folder: string): void {
    for (let above = folder; above !== "/"; above = folderOf(above)) {
      if (this.#seen.has(above)) throw new OperationError("disk-error", `cannot write ${path}: ${above} is a file`);
    }
    this.#addFolders(folder);
  }

  #addFolders(folder: string): void {
    for (let below = folder; !this.#folders.has(below); below = folderOf(below)) {
      this.#folders.set(below, new Set());
      this.#stamp(below);
    }
    for (let below = folder; below !== "/"; below = folderOf(below)) {
      this.#folders.get(folderOf(below))!.add(nameOf(below));
    }
  }

  #show(path: string, file: MemoryFile): void {
    this.#seen.set(path, file);
    this.#folders.get(folderOf(path))!.add(nameOf(path));
    this.#stamp(path);
  }

  #hide(path: string): void {
    this.#seen.delete(path);
    this.#folders.get(folderOf(path))!.delete(nameOf(path));
    this.#stamp(path);
  }

  /** Its folder's entries have changed with it. */
  #stamp(path: string): void {
    const stamp = { atMs: this.#wallMs(), inode: ++this.#changes };
    this.#stamps.set(path, stamp).set(folderOf(path), stamp);
  }
}

function bytesOf({ text, isBinary }: MemoryFile): Buffer {
  return Buffer.from(text, isBinary === true ? "latin1" : "utf8");
}

function folderOf(path: string): string {
  return path.slice(0, Math.max(1, path.lastIndexOf("/")));
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

function temporaryOf(path: string): string {
  return `${folderOf(path)}/.${nameOf(path)}.fleet-new`;
}
