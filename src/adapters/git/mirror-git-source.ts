import fs from "node:fs";
import { join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import type { ChangedFile, CommitDescription, GitSource, TreeFile } from "../../ports/git-source.ts";
import type { ChangedTree, ObjectSource, RelatedObjects, StoredObject } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { CommitReader } from "./commit-reader.ts";
import { displayUrl } from "./display-url.ts";
import { readRef } from "./git-refs.ts";
import { lockMirror, type MirrorLock } from "./mirror-lock.ts";
import { ARRIVED_REF, type MirrorLimits, MirrorTransport, restoreShallow, settleShallow } from "./mirror-transport.ts";
import { resolveRevision } from "./resolve-revision.ts";

export const MIRROR_LIMITS: MirrorLimits = {
  pollTimeoutMs: 20_000,
  // 256 MiB over 7 Mbit/s; an ordinary repository takes a second.
  transferTimeoutMs: 300_000,
  packBytesMax: 256 * 1024 * 1024,
};

/** How much history is asked for, step by step, to answer about ancestors. After the last the answer is `unknown`. */
const DEEPEN_STEPS = [64, 512, 4_096] as const;
/** Nobody repacks a mirror; each fetch adds a pack, and each pack is one more place to look. */
const PACKS_MAX = 50;

export interface MirrorGitSource extends GitSource, ObjectSource {
  /** Lets another process use the mirror. */
  close(): Promise<void>;
}

export interface MirrorPlace {
  /** http(s), with credentials in it if it needs any. */
  readonly url: string;
  readonly branch: string;
  /** A folder for this mirror alone; made where it is missing. */
  readonly folder: string;
  readonly limits?: MirrorLimits;
}

/**
 * One branch of a remote as a bare shallow mirror on disk. Opening reads only the disk, so a known commit can be read with
 * the remote gone. A damaged mirror is set aside as `corrupt` and cloned again. Rejects with `mirror-busy` where another
 * process has it.
 */
export async function openMirrorGitSource(place: MirrorPlace): Promise<MirrorGitSource> {
  fs.mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  const lock = lockMirror(place.folder);
  try {
    return new Mirror(place, lock);
  } catch (error) {
    lock.release();
    throw error;
  }
}

class Mirror implements MirrorGitSource {
  readonly #place: MirrorPlace;
  readonly #lock: MirrorLock;
  readonly #transport: MirrorTransport;
  readonly #gitFolder: string;
  #reader: CommitReader | null = null;
  #tip: CommitId | null = null;
  #deepenedTo = 1;
  #clones = 0;
  /** Only one thing at a time changes the mirror. */
  #last: Promise<unknown> = Promise.resolve();
  #fetching: Promise<CommitId> | null = null;

  constructor(place: MirrorPlace, lock: MirrorLock) {
    this.#place = place;
    this.#lock = lock;
    this.#transport = new MirrorTransport(place.url, place.branch, place.limits ?? MIRROR_LIMITS);
    this.#gitFolder = join(place.folder, "repo.git");
    for (const name of fs.readdirSync(place.folder)) {
      if (/^(clone|old)-/.test(name)) fs.rmSync(join(place.folder, name), { recursive: true, force: true });
    }
    this.#openExisting();
  }

  fetch(): Promise<CommitId> {
    this.#fetching ??= this.#alone(() => this.#update()).finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async resolve(revision: string): Promise<CommitId | null> {
    await this.#opened();
    return resolveRevision(
      revision,
      (name) => this.#named(name),
      () => this.#reader!,
    );
  }

  listFiles(commit: CommitId, folders: readonly string[]): Promise<readonly TreeFile[]> {
    return this.#reading(commit, (reader) => reader.listFiles(commit, folders));
  }

  readBlob(oid: string, maxBytes: number): Promise<Uint8Array> {
    return this.#reading(null, (reader) => reader.readBlob(oid, maxBytes));
  }

  isAncestor(ancestor: CommitId, descendant: CommitId): Promise<"yes" | "no" | "unknown"> {
    return this.#reading(descendant, async (reader) => {
      let answer = await reader.isAncestor(ancestor, descendant);
      while (answer === "unknown" && (await this.deepen()))
        answer = await this.#reader!.isAncestor(ancestor, descendant);
      return answer;
    });
  }

  readCommit(commit: CommitId): Promise<Uint8Array> {
    return this.#reading(commit, (reader) => reader.raw(commit));
  }

  async changedFiles(before: CommitId | null, after: CommitId): Promise<readonly ChangedFile[]> {
    if (before !== null) await this.#reading(before, () => undefined);
    return this.#reading(after, (reader) => reader.changedFiles(before, after));
  }

  describeCommit(commit: CommitId): Promise<CommitDescription> {
    return this.#reading(commit, (reader) => reader.describe(commit));
  }

  deepen(): Promise<boolean> {
    return this.#alone(async () => {
      const step = DEEPEN_STEPS.find((each) => each > this.#deepenedTo);
      if (step === undefined || this.#reader!.shallowCommits().size === 0) return false;
      const tip = await this.#transport.transfer(this.#gitFolder, step);
      this.#arrived(this.#gitFolder, tip);
      this.#open(tip);
      this.#deepenedTo = step;
      return true;
    });
  }

  lastTip(): CommitId | null {
    return this.#tip;
  }

  readObject(oid: string, maxBytes: number): Promise<StoredObject> {
    return this.#reading(null, (reader) => reader.stored(oid, maxBytes));
  }

  changedTrees(before: string, after: string, max: number): Promise<readonly ChangedTree[] | null> {
    return this.#reading(null, (reader) => reader.changedTrees(before, after, max));
  }

  related(commits: readonly string[], have: ReadonlySet<string>, commitsMax: number): Promise<RelatedObjects> {
    return this.#reading(null, async (reader) => {
      let found = await reader.related(commits, have, commitsMax);
      while (!found.whole && (await this.deepen())) {
        found = await this.#reader!.related(commits, have, commitsMax);
      }
      return found;
    });
  }

  async close(): Promise<void> {
    await this.#last.catch(() => undefined);
    this.#reader?.close();
    this.#reader = null;
    this.#lock.release();
  }

  async #named(name: string): Promise<CommitId | null> {
    const own = ["HEAD", "@", this.#place.branch, `refs/heads/${this.#place.branch}`, `origin/${this.#place.branch}`];
    if (own.includes(name)) return this.#tip;
    if (/^[0-9a-f]{4,40}$/.test(name)) {
      const known = this.#reader!.expand(name);
      if (known !== null) return known;
      if (name.length === 40) return (await this.#hold(name as CommitId)) ? (name as CommitId) : null;
    }
    const oid = /^[\w./-]{1,200}$/.test(name) ? await this.#transport.remoteRef(name) : null;
    if (oid !== null) return (await this.#hold(oid as CommitId)) ? (oid as CommitId) : null;
    if (!/^[0-9a-f]{4,39}$/.test(name)) return null;
    await this.fetch();
    return this.#reader!.expand(name);
  }

  /** Runs it with a reader that has the commit, and once more on a fresh mirror if this one turns out to be damaged. */
  async #reading<T>(commit: CommitId | null, read: (reader: CommitReader) => T | Promise<T>): Promise<T> {
    await this.#opened();
    await this.#require(commit);
    const reader = this.#reader!;
    try {
      return await read(reader);
    } catch (error) {
      if (!(error instanceof OperationError && error.code === "object-corrupt")) throw error;
      // Several reads may find the damage at once; the first replaces the mirror.
      await this.#alone(async () => {
        if (this.#reader === reader) await this.#clone("corrupt");
      });
      await this.#require(commit);
      return await read(this.#reader!);
    }
  }

  async #require(commit: CommitId | null): Promise<void> {
    if (commit === null || (await this.#hold(commit))) return;
    throw new OperationError(
      "commit-unknown",
      `branch ${this.#place.branch} of ${displayUrl(this.#place.url)} has no commit ${commit} in its last ${DEEPEN_STEPS.at(-1)}`,
      { next: "push the commit to that branch" },
    );
  }

  /** Fetches and deepens until the commit is here; false where it is not to be had. */
  async #hold(commit: CommitId): Promise<boolean> {
    if (this.#reader!.hasCommit(commit)) return true;
    await this.fetch();
    while (!this.#reader!.hasCommit(commit)) if (!(await this.deepen())) return false;
    return true;
  }

  async #opened(): Promise<void> {
    if (this.#reader === null) await this.fetch();
  }

  async #update(): Promise<CommitId> {
    const tip = await this.#transport.remoteTip();
    if (this.#reader === null || this.#packs() >= PACKS_MAX) return this.#clone("old");
    if (tip === this.#tip) return this.#tip;
    try {
      // A branch set back to a commit we have costs nothing.
      const arrived = this.#reader.hasCommit(tip) ? tip : await this.#transport.transfer(this.#gitFolder, null);
      this.#arrived(this.#gitFolder, arrived);
      return this.#open(arrived);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (error.code === "object-corrupt") return this.#clone("corrupt");
      // A rewritten branch makes git send its whole history; the newest commit alone may still fit.
      if (error.code === "pack-too-large") return this.#clone("old");
      throw error;
    }
  }

  /** A fresh clone beside the mirror, then in its place. What was there is removed, or kept once as `corrupt`. */
  async #clone(previous: "old" | "corrupt"): Promise<CommitId> {
    const fresh = join(this.#place.folder, `clone-${process.pid}-${++this.#clones}`);
    try {
      await this.#transport.init(fresh);
      const tip = await this.#transport.transfer(fresh, 1);
      this.#arrived(fresh, tip);
      fs.writeFileSync(join(fresh, "fleet-source"), this.#identity());
      this.#setAside(previous);
      fs.renameSync(fresh, this.#gitFolder);
      this.#deepenedTo = 1;
      return this.#open(tip);
    } finally {
      fs.rmSync(fresh, { recursive: true, force: true });
      fs.rmSync(join(this.#place.folder, "old-mirror"), { recursive: true, force: true });
    }
  }

  #setAside(previous: "old" | "corrupt"): void {
    this.#reader?.close();
    this.#reader = null;
    this.#tip = null;
    if (!fs.existsSync(this.#gitFolder)) return;
    const aside = join(this.#place.folder, previous === "old" ? "old-mirror" : "corrupt");
    fs.rmSync(aside, { recursive: true, force: true });
    fs.renameSync(this.#gitFolder, aside);
  }

  /** Everything the tip needs to be read is here: says so on disk, where a restart finds it. */
  #arrived(gitFolder: string, tip: string): void {
    checkTip(gitFolder, tip);
    const path = join(gitFolder, ARRIVED_REF);
    fs.mkdirSync(join(path, ".."), { recursive: true });
    fs.writeFileSync(`${path}.draft`, `${tip}\n`);
    fs.renameSync(`${path}.draft`, path);
    settleShallow(gitFolder);
  }

  #open(tip: string): CommitId {
    this.#reader ??= new CommitReader(this.#gitFolder);
    this.#tip = tip as CommitId;
    return this.#tip;
  }

  #openExisting(): void {
    if (!fs.existsSync(this.#gitFolder)) return;
    try {
      restoreShallow(this.#gitFolder);
      const tip = readRef({ own: this.#gitFolder, common: this.#gitFolder, worktree: null }, ARRIVED_REF);
      const sameSource = fs.readFileSync(join(this.#gitFolder, "fleet-source"), "utf8") === this.#identity();
      if (!sameSource || tip === null) {
        this.#setAside("old");
        return;
      }
      checkTip(this.#gitFolder, tip);
      this.#open(tip);
    } catch (error) {
      // Whatever is wrong with the copy, the source has the original.
      if (!(error instanceof OperationError || (error as NodeJS.ErrnoException).code !== undefined)) throw error;
      this.#setAside("corrupt");
    }
  }

  /** A folder given another source or branch must not answer for the old one. */
  #identity(): string {
    return `${displayUrl(this.#place.url)}\n${this.#place.branch}\n`;
  }

  #packs(): number {
    return fs.readdirSync(join(this.#gitFolder, "objects", "pack")).filter((name) => name.endsWith(".pack")).length;
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#last.then(act, act);
    this.#last = next.catch(() => undefined);
    return next;
  }
}

/** Its commit and its root's tree, read and hashed: what every use starts with. */
function checkTip(gitFolder: string, tip: string): void {
  const reader = new CommitReader(gitFolder);
  try {
    reader.listFiles(tip as CommitId, ["fleet.yaml"]);
  } finally {
    reader.close();
  }
}
