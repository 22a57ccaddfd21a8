import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { ObjectReader } from "./commit-reader.ts";
import type { GitObject } from "./git-object.ts";
import { GitObjects } from "./git-objects.ts";
import { readRef } from "./git-refs.ts";
import { ARRIVED_REF } from "./mirror-transport.ts";
import { PackFile } from "./pack-file.ts";
import { removeDrafts, writeDurably, writeObjects } from "./write-objects.ts";

/** As a mirror's `fleet-source` names its remote: a tip of another source is none of this one's. Objects are nobody's. */
const IDENTITY = "hub\n";

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

  /** `onDamage` hears of each object that cannot be read any more, by name. */
  constructor(folder: string, onDamage: (what: string) => void) {
    this.gitFolder = join(folder, "repo.git");
    this.#onDamage = onDamage;
    lay(this.gitFolder);
    removeDrafts(this.#objectsFolder);
    this.#setDamagedPacksAside();
    this.#objects = new GitObjects(this.#objectsFolder, { isOurs: true });
    this.#tip = readRef(
      { own: this.gitFolder, common: this.gitFolder, worktree: null },
      ARRIVED_REF,
    ) as CommitId | null;
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
    if (fresh.size > 0) await writeObjects(this.#objectsFolder, fresh);
    this.#objects.refresh();
    for (const oid of fresh.keys()) this.#damaged.delete(oid);
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
