import type { DriftSeen } from "../domain/drift/unit-drift.ts";
import type { UnitName } from "../domain/names.ts";
import { FOREIGN_FOLDER, FOREIGN_QUADLETS } from "../domain/tasks/foreign-files.ts";
import type { InstalledFile } from "../domain/tasks/task.ts";
import type { FileFingerprint, FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { DeliveredFiles } from "./delivered-files.ts";
import { installedPath, type UnitFolders } from "./unit-folders.ts";

/** A unit of ours and what its files should say. */
export interface WrittenUnit {
  readonly name: UnitName;
  readonly service: UnitName;
  readonly files: readonly InstalledFile[];
  /** Whether they were all written; else only what others added is drift. */
  readonly isWhole: boolean;
}

/** A unit whose files were changed by others. */
export interface FileDrift {
  readonly changes: readonly FileChange[];
  /** Files of others that change it: put aside where it is put back. */
  readonly others: readonly string[];
  /** What it consists of as the files are now; null where one of them cannot be read. */
  readonly files: readonly InstalledFile[] | null;
}

export interface FileChange extends DriftSeen {
  readonly path: string;
  /** Milliseconds since the epoch; of a file that is gone, when it was seen last (0: never). */
  readonly atMs: number;
}

/** Where an administrator's words on a unit stand, weakest first, but for our own folder, which is weaker than all of them. */
const OTHER_FOLDERS = [FOREIGN_FOLDER, "/run/systemd/system.control", "/etc/systemd/system.control"] as const;

/** A folder's time is its file system's tick at best: one that changed so recently may have changed again since, in the same tick. */
const YOUNG_MS = 1_000;

/** Drop-ins by which other parts of the agent add to a unit. */
const OURS = /(^|-)fleet-[^/]*\.conf$/;

/**
 * Compares the files of this machine's units with what was written, and looks for those of others that change them. What was found whole
 * is not read again while its fingerprint stays. Drop-ins of templates and of whole types are others' own business, and stay.
 */
export class DriftedFiles {
  readonly #files: FileStore;
  readonly #unitFolders: UnitFolders;
  readonly #asideFolder: string;
  readonly #delivered: Pick<DeliveredFiles, "holds">;
  readonly #whole = new Map<string, { readonly print: FileFingerprint; readonly file: InstalledFile }>();
  readonly #folders = new Map<string, { readonly print: FileFingerprint; readonly names: readonly string[] }>();
  readonly #goneAtMs = new Map<string, number>();
  #shadows: ReadonlySet<UnitName> = new Set();
  #lookedAtMs = 0;

  constructor(
    files: FileStore,
    unitFolders: UnitFolders,
    asideFolder: string,
    delivered: Pick<DeliveredFiles, "holds">,
  ) {
    this.#delivered = delivered;
    this.#files = files;
    this.#unitFolders = unitFolders;
    this.#asideFolder = asideFolder;
  }

  /** Services of which somebody has a unit file of their own in /etc, as of the last look: a conflict once systemd has read it. */
  get shadows(): ReadonlySet<UnitName> {
    return this.#shadows;
  }

  /** Just written by us: that need not be read to be known. */
  async wrote(file: InstalledFile): Promise<void> {
    const path = this.#pathOf(file.path);
    this.#goneAtMs.delete(path);
    const [print = null] = await this.#files.fingerprints([path]);
    if (print !== null) this.#whole.set(path, { print, file });
  }

  /** Of those units, the ones that are not as they were written. `wallMs` is the time of this look. */
  async look(units: readonly WrittenUnit[], wallMs: number): Promise<Map<UnitName, FileDrift>> {
    const expected = new Map<string, InstalledFile>();
    for (const { files } of units) for (const file of files) expected.set(this.#pathOf(file.path), file);
    const states = new Map<string, FileState>();
    const paths = [...expected.keys()];
    const prints = await this.#files.fingerprints(paths);
    for (const [at, path] of paths.entries()) {
      const [print, file] = [prints[at] ?? null, expected.get(path)!];
      if (this.#isKnown(path, file, print)) continue;
      const state = await this.#stateOf(path, file, print, wallMs);
      if (state !== null) states.set(path, state);
    }
    const others = await this.#others(units, expected, wallMs);
    this.#forget(expected);
    this.#lookedAtMs = wallMs;
    if (states.size + others.size === 0) return new Map();
    const drifts = units.map((unit) => [unit.name, this.#driftOf(unit, states, others.get(unit.name) ?? [])] as const);
    return new Map(drifts.filter((entry): entry is readonly [UnitName, FileDrift] => entry[1] !== null));
  }

  /** Out of systemd's sight and not gone: `drifted/web.service/etc/systemd/system/web.service.d/override.conf`. */
  async setAside(unit: UnitName, path: string): Promise<void> {
    await this.#files.move(path, `${this.#asideFolder}/${unit}${path}`);
    if (path.includes(".d/")) await this.#files.remove(path, { prune: true });
  }

  /** Found whole before, and not touched since. */
  #isKnown(path: string, file: InstalledFile, print: FileFingerprint | null): boolean {
    const known = this.#whole.get(path);
    return print !== null && known !== undefined && isSame(known.print, print) && isSameFile(known.file, file);
  }

  /** Null where it is whole. */
  async #stateOf(
    path: string,
    file: InstalledFile,
    print: FileFingerprint | null,
    wallMs: number,
  ): Promise<FileState | null> {
    if (print === null) {
      const atMs = this.#goneAtMs.get(path) ?? this.#lookedAtMs;
      this.#goneAtMs.set(path, atMs);
      return { kind: "deleted", path, atMs, text: null };
    }
    this.#goneAtMs.delete(path);
    const isRead = file.delivery !== undefined;
    const seen = isRead ? null : await this.#read(path, print);
    if (print.kind === "file" && (isRead ? await this.#delivered.holds(file) : seen === file.text)) {
      // A file as young as this may be another one by now and look the same.
      if (Math.abs(wallMs - print.ctimeMs) > YOUNG_MS) this.#whole.set(path, { print, file });
      return null;
    }
    return {
      kind: isMask(print) && !isRead && !path.endsWith(".conf") ? "masked" : "edited",
      path,
      atMs: print.ctimeMs,
      text: seen,
    };
  }

  /** Null where it is no file that can be read: that is said of its unit, and is no reason to look at none of the others. */
  async #read(path: string, print: FileFingerprint): Promise<string | null> {
    if (isMask(print)) return "";
    try {
      return await this.#files.read(path);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return null;
    }
  }

  async #others(
    units: readonly WrittenUnit[],
    expected: ReadonlyMap<string, InstalledFile>,
    wallMs: number,
  ): Promise<Map<UnitName, FileState[]>> {
    const byService = new Map(units.map((unit) => [unit.service as string, unit]));
    const quadlets = new Map(units.filter(isGenerated).map((unit) => [unit.name as string, unit]));
    const ours = this.#unitFolders;
    const found: (readonly [WrittenUnit, string])[] = [];
    const dropins: (readonly [WrittenUnit, string])[] = [];
    // What others add to a quadlet is weaker than what they add to the service made of it.
    const quadletFolders = quadlets.size === 0 ? [] : [ours.quadlets, FOREIGN_QUADLETS];
    const folders = [...quadletFolders, ours.units, ...OTHER_FOLDERS];
    for (const [at, names] of (await this.#names(folders, wallMs)).entries()) {
      const folder = folders[at]!;
      const known = quadletFolders.includes(folder) ? quadlets : byService;
      for (const name of names) {
        const dropinsOf = name.endsWith(".d") ? known.get(name.slice(0, -2)) : undefined;
        if (dropinsOf !== undefined) dropins.push([dropinsOf, `${folder}/${name}`]);
        // In our own folder there is no file for the service of a quadlet: a generator makes it, and both folders go before it.
        const named = folder === FOREIGN_FOLDER || folder === ours.units ? byService.get(name) : undefined;
        const isOther = named !== undefined && (folder === FOREIGN_FOLDER || isGenerated(named));
        if (isOther) found.push([named, `${folder}/${name}`]);
      }
    }
    const confs = await this.#names(
      dropins.map(([, folder]) => folder),
      wallMs,
    );
    for (const [at, [unit, folder]] of dropins.entries()) {
      for (const conf of confs[at]!) {
        const path = `${folder}/${conf}`;
        const isOurFolder = [ours.units, ours.quadlets].some((own) => path.startsWith(`${own}/`));
        const isOurs = isOurFolder && (expected.has(path) || OURS.test(conf));
        if (conf.endsWith(".conf") && !isOurs) found.push([unit, path]);
      }
    }
    const others = new Map<UnitName, FileState[]>();
    const shadows = new Set<UnitName>();
    const prints = await this.#files.fingerprints(found.map(([, path]) => path));
    for (const [at, [unit, path]] of found.entries()) {
      const print = prints[at] ?? null;
      const isDropin = path.endsWith(".conf");
      if (print === null) continue;
      // A unit file of the same name in /etc is somebody's own unit: a conflict, and not drift.
      if (!isDropin && !isMask(print)) {
        shadows.add(unit.service);
        continue;
      }
      const text = await this.#read(path, print);
      const state: FileState = { kind: isDropin ? "extra-dropin" : "masked", path, atMs: print.ctimeMs, text };
      others.set(unit.name, [...(others.get(unit.name) ?? []), state]);
    }
    this.#shadows = shadows;
    return others;
  }

  /** What is in each of those folders, read again where it may have changed. */
  async #names(folders: readonly string[], wallMs: number): Promise<(readonly string[])[]> {
    const prints = await this.#files.fingerprints(folders);
    const names: (readonly string[])[] = [];
    for (const [at, folder] of folders.entries()) {
      const print = prints[at] ?? null;
      const known = this.#folders.get(folder);
      if (print === null) names.push([]);
      else if (known !== undefined && isSame(known.print, print)) names.push(known.names);
      else {
        const listed = await this.#list(folder);
        names.push(listed);
        if (Math.abs(wallMs - print.mtimeMs) > YOUNG_MS) this.#folders.set(folder, { print, names: listed });
      }
    }
    return names;
  }

  async #list(folder: string): Promise<readonly string[]> {
    try {
      return await this.#files.list(folder);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return [];
    }
  }

  #driftOf(
    { name, files, isWhole }: WrittenUnit,
    states: ReadonlyMap<string, FileState>,
    others: readonly FileState[],
  ): FileDrift | null {
    const own = isWhole ? files.flatMap(({ path }) => states.get(this.#pathOf(path)) ?? []) : [];
    if (own.length + others.length === 0) return null;
    const found = new Map<string, InstalledFile | null>(files.map((file) => [file.path, file]));
    for (const { path, delivery } of files) {
      const state = own.find((one) => one.path === this.#pathOf(path));
      // That a file it reads is another one is all there is to know of it.
      if (state?.kind === "deleted" || (state !== undefined && delivery !== undefined)) found.delete(path);
      else if (state !== undefined) found.set(path, asRead(path, state.text));
    }
    // Of drop-ins of one name the strongest folder's counts; they come weakest first.
    for (const { kind, path, text } of others) {
      const dropin = `${name}.d/${path.slice(path.lastIndexOf("/") + 1)}`;
      if (kind === "extra-dropin") found.set(dropin, asRead(dropin, text));
    }
    const asFound = [...found.values()].filter((file) => file !== null);
    return {
      changes: [...own, ...others].map(({ text: _text, ...change }) => change),
      others: others.map(({ path }) => path),
      files: asFound.length < found.size ? null : asFound,
    };
  }

  #pathOf(path: string): string {
    return installedPath(this.#unitFolders, path);
  }

  /** What is no unit's any more is not remembered. */
  #forget(expected: ReadonlyMap<string, InstalledFile>): void {
    for (const memory of [this.#whole, this.#goneAtMs]) {
      for (const path of memory.keys()) if (!expected.has(path)) memory.delete(path);
    }
  }
}

function asRead(path: string, text: string | null): InstalledFile | null {
  return text === null ? null : { path, text };
}

/** Most often the very same value: units are read from the disk once. */
function isSameFile(a: InstalledFile, b: InstalledFile): boolean {
  return a === b || (a.text === b.text && JSON.stringify(a.delivery) === JSON.stringify(b.delivery));
}

/** A generator makes its service. */
function isGenerated({ name, service }: WrittenUnit): boolean {
  return name !== service;
}

interface FileState extends FileChange {
  /** Null where there is none to read. */
  readonly text: string | null;
}

function isSame(a: FileFingerprint, b: FileFingerprint): boolean {
  return (
    a.ctimeMs === b.ctimeMs &&
    a.inode === b.inode &&
    a.mtimeMs === b.mtimeMs &&
    a.size === b.size &&
    a.kind === b.kind &&
    a.target === b.target
  );
}

/** systemd takes a link to `/dev/null` for a mask, and an empty file as well. */
function isMask({ kind, size, target }: FileFingerprint): boolean {
  return kind === "link" ? target === "/dev/null" : kind === "file" && size === 0;
}
