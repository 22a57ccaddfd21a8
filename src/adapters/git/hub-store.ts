import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { ObjectReader } from "./commit-reader.ts";
import type { GitObject } from "./git-object.ts";
import { GitObjects } from "./git-objects.ts";
import { readRef } from "./git-refs.ts";
import { ARRIVED_REF } from "./mirror-mark.ts";
import { PackFile } from "./pack-file.ts";
import { countFiles, removeFiles, repack } from "./repack.ts";
import { removeDrafts, writeDurably, writeObjects } from "./write-objects.ts";

/** As a mirror's `fleet-source` names its remote: a tip of another source is none of this one's. Objects are nobody's. */
const IDENTITY = "hub\n";
/** Which commits were read last, the last first: what a machine may go back to is among them. */
const READ_FILE = "fleet-read";
const READ_MAX = 32;
/** How much is added before what is not worth keeping is thrown away. A change is five loose objects: a year of one a day. */
const LOOSE_MAX = 2_000;
const PACKS_MAX = 40;
const ADDED_BYTES_MAX = 128 * 1024 * 1024;

/**
 * A bare repository of objects that engines gave, in the folder and the layout of a mirror, so that what a machine knows already is known
 * also after its source becomes a hub. git can read it. What is damaged on the disk counts as missing, and is asked for again.
 */
export class HubStore implements ObjectReader {
  readonly gitFolder: string;
  readonly #objects: GitObjects;
  readonly #damaged = new Set<string>();
  readonly #onDamage: (what: string) => void;
  #tip: CommitId | null;
  #read: readonly CommitId[];
  #loose: number;
  #packs: number;
  #addedBytes = 0;
  #tidying: Promise<void> | null = null;

  /** `onDamage` hears of each object that cannot be read any more, by name. */
  constructor(folder: string, onDamage: (what: string) => void) {
    this.gitFolder = join(folder, "repo.git");
    this.#onDamage = onDamage;
    lay(this.gitFolder);
    for (const above of [folder, join(this.gitFolder, "refs"), this.#objectsFolder]) removeDrafts(above);
    this.#setDamagedPacksAside();
    this.#objects = new GitObjects(this.#objectsFolder, { isOurs: true });
    this.#tip = readRef(
      { own: this.gitFolder, common: this.gitFolder, worktree: null },
      ARRIVED_REF,
    ) as CommitId | null;
    this.#read = commitsIn(join(this.gitFolder, READ_FILE));
    ({ loose: this.#loose, packs: this.#packs } = countFiles(this.#objectsFolder));
  }

  /** The last one an engine told of, also before a restart. */
  get tip(): CommitId | null {
    return this.#tip;
  }

  async setTip(tip: CommitId): Promise<void> {
    if (this.#tip === tip) return;
    await writeDurably(join(this.gitFolder, ARRIVED_REF), `${tip}\n`);
    this.#tip = tip;
  }

  /** Whether somebody who reads it now gets it, as far as a look at names tells. */
  has(oid: string): boolean {
    return !this.#damaged.has(oid) && this.#objects.has(oid);
  }

  read(oid: string, maxBytes: number): GitObject | null {
    try {
      return this.#objects.read(oid, maxBytes);
    } catch (error) {
      if (!(error instanceof OperationError && error.code === "object-corrupt")) throw error;
      if (!this.#damaged.has(oid)) this.#onDamage(`object ${oid}: ${error.message}`);
      this.#damaged.add(oid);
      return null;
    }
  }

  idsStartingWith(digits: string): readonly string[] {
    return this.#objects.idsStartingWith(digits);
  }

  /** For good. Objects that are here stay as they are, also if others should have the same id. */
  async add(objects: ReadonlyMap<string, GitObject>): Promise<void> {
    const fresh = new Map([...objects].filter(([oid]) => !this.has(oid)));
    if (fresh.size === 0) return;
    const as = await writeObjects(this.#objectsFolder, fresh);
    if (as === "pack") this.#packs++;
    else this.#loose += fresh.size;
    for (const [oid, { content }] of fresh) {
      this.#damaged.delete(oid);
      this.#addedBytes += content.length;
    }
    this.#objects.refresh();
  }

  /** Somebody is about to read that commit: what it is made of is worth keeping. */
  async reading(commit: CommitId): Promise<void> {
    if (this.#read[0] === commit) return;
    const read = [commit, ...this.#read.filter((each) => each !== commit)].slice(0, READ_MAX);
    await writeDurably(join(this.gitFolder, READ_FILE), `${read.join("\n")}\n`);
    this.#read = read;
  }

  /**
   * Where much was added, keeps what the commits read last are made of, and history; throws away the rest. Resolves once that is done.
   * Rejects with OperationError (`disk-full`, …): nothing was thrown away then.
   */
  async tidy(): Promise<void> {
    const isTidy = this.#loose <= LOOSE_MAX && this.#packs <= PACKS_MAX && this.#addedBytes <= ADDED_BYTES_MAX;
    if (isTidy || this.#tidying !== null) return this.#tidying ?? undefined;
    this.#tidying = this.#repack().finally(() => {
      this.#tidying = null;
    });
    return this.#tidying;
  }

  async #repack(): Promise<void> {
    const commits = this.#tip === null ? this.#read : [...new Set([this.#tip, ...this.#read])];
    const unneeded = await repack(this.#objectsFolder, this, commits);
    // In one turn: nobody is told that something is here between its removal and the look at what is.
    removeFiles(unneeded);
    this.#objects.refresh();
    ({ loose: this.#loose, packs: this.#packs } = countFiles(this.#objectsFolder));
    this.#addedBytes = 0;
  }

  close(): void {
    this.#objects.close();
  }

  get #objectsFolder(): string {
    return join(this.gitFolder, "objects");
  }

  #setDamagedPacksAside(): void {
    const folder = join(this.#objectsFolder, "pack");
    for (const name of readdirSync(folder).filter((each) => each.endsWith(".idx"))) {
      try {
        PackFile.open(join(folder, name)).close();
      } catch (error) {
        this.#onDamage(`${name}: ${(error as Error).message}`);
        renameSync(join(folder, name), join(folder, `${name}.damaged`));
      }
    }
  }
}

function commitsIn(path: string): readonly CommitId[] {
  if (!existsSync(path)) return [];
  const lines = readFileSync(path, "utf8").split("\n");
  return lines.filter((line): line is CommitId => /^[0-9a-f]{40}$/.test(line)).slice(0, READ_MAX);
}

/** A bare repository that holds nothing yet, or makes one of what is there. */
function lay(gitFolder: string): void {
  for (const part of ["objects/pack", "refs/heads", "refs/fleet"]) {
    mkdirSync(join(gitFolder, part), { recursive: true, mode: 0o700 });
  }
  const write = (name: string, text: string) => {
    if (!existsSync(join(gitFolder, name))) writeFileSync(join(gitFolder, name), text);
  };
  write("HEAD", "ref: refs/heads/fleet\n");
  write("config", "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
  const identity = join(gitFolder, "fleet-source");
  if (existsSync(identity) && readFileSync(identity, "utf8") !== IDENTITY) {
    rmSync(join(gitFolder, ARRIVED_REF), { force: true });
    rmSync(identity);
  }
  write("fleet-source", IDENTITY);
  // Here what is missing is asked for, whatever a shallow clone once left out.
  for (const name of ["shallow", "shallow.before"]) rmSync(join(gitFolder, name), { force: true });
}
