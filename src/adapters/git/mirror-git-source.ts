import fs from "node:fs";
import { join } from "node:path";
import type { CommitId } from "../../domain/names.ts";
import type { ChangedFile, CommitDescription, GitSource, TreeFile } from "../../ports/git-source.ts";
import type { ChangedTree, ObjectSource, RelatedObjects, StoredObject } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { commitAtRef } from "./commit-at-ref.ts";
import { CommitReader } from "./commit-reader.ts";
import { displayUrl, splitSources } from "./display-url.ts";
import { inOrder } from "./in-order.ts";
import { judgeOtherRemote, otherTipRefused } from "./judge-other-remote.ts";
import { lockMirror, type MirrorLock } from "./mirror-lock.ts";
import { checkTip, countPacks, markArrived, mirrorIdentity, readMark, SOURCE_FILE } from "./mirror-mark.ts";
import {
  initMirror,
  MIRROR_LIMITS,
  type MirrorLimits,
  MirrorTransport,
  type TransportOptions,
} from "./mirror-transport.ts";
import { proveDescent } from "./prove-descent.ts";
import { resolveRevision } from "./resolve-revision.ts";
import { removeDrafts } from "./write-objects.ts";

/** How much history is asked for, step by step, to answer about ancestors. After the last the answer is `unknown`. */
const DEEPEN_STEPS = [64, 512, 4_096] as const;
/** Nobody repacks a mirror; each fetch adds a pack, and each pack is one more place to look. */
const PACKS_MAX = 50;

/** `close` lets another process use the mirror. */
export type MirrorGitSource = GitSource & ObjectSource & { close(): Promise<void> };

export interface MirrorPlace extends TransportOptions {
  /** http(s) or ssh; several, by commas, are the same repository in several places, tried in this order. */
  readonly url: string;
  readonly branch: string;
  /** A folder for this mirror alone; made where it is missing. */
  readonly folder: string;
  readonly limits?: MirrorLimits;
}

/**
 * One branch of a remote as a bare shallow mirror on disk. Opening reads only the disk, so a known commit can be read with the remote gone. A
 * damaged mirror is set aside as `corrupt` and cloned again. Of several remotes the one that gave the tip may move it as it likes, which is for
 * others to judge; another one only forwards. Rejects with `mirror-busy` where another process has it.
 */
export async function openMirrorGitSource(place: MirrorPlace): Promise<MirrorGitSource> {
  fs.mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  return new Mirror(place);
}

class Mirror implements MirrorGitSource {
  readonly #place: MirrorPlace;
  readonly #lock: MirrorLock;
  readonly #transport: MirrorTransport;
  readonly #remotes: readonly string[];
  readonly #gitFolder: string;
  readonly #identity: string;
  #reader: CommitReader | null = null;
  #tip: CommitId | null = null;
  /** What was the tip last and who said so, also when its copy here turned out to be damaged. */
  #last: { readonly tip: string; readonly remote: string } | null = null;
  /** Two tips that were judged for nothing: their history is not asked for with every poll. */
  #unproved = "";
  #deepenedTo = 1;
  #clones = 0;
  /** Only one thing at a time changes the mirror. */
  #turn: Promise<unknown> = Promise.resolve();
  #fetching: Promise<CommitId> | null = null;

  constructor(place: MirrorPlace) {
    this.#place = place;
    this.#lock = lockMirror(place.folder);
    this.#transport = new MirrorTransport(place.branch, place.limits ?? MIRROR_LIMITS, place);
    this.#remotes = splitSources(place.url);
    this.#identity = mirrorIdentity(place.url, place.branch);
    this.#gitFolder = join(place.folder, "repo.git");
    try {
      for (const name of fs.readdirSync(place.folder).filter((each) => /^(clone|old)-/.test(each)))
        fs.rmSync(join(place.folder, name), { recursive: true, force: true });
      this.#openExisting();
    } catch (error) {
      this.#lock.release();
      throw error;
    }
  }

  fetch(): Promise<CommitId> {
    this.#fetching ??= this.#alone(() => inOrder(this.#remotes, (remote) => this.#updateFrom(remote))).finally(() => {
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

  commitAt(ref: string): Promise<Uint8Array | null> {
    return inOrder(this.#remotes, (remote) => commitAtRef(this.#transport, remote, ref, this.#place.folder));
  }

  describeCommit(commit: CommitId): Promise<CommitDescription> {
    return this.#reading(commit, (reader) => reader.describe(commit));
  }

  deepen(): Promise<boolean> {
    return this.#alone(async () => {
      const step = DEEPEN_STEPS.find((each) => each > this.#deepenedTo);
      if (step === undefined || this.#reader!.shallowCommits().size === 0) return false;
      const here = { tip: this.#tip!, reader: this.#reader! };
      await inOrder(this.#remotes, async (remote) => {
        // Of another one only the same history counts.
        if (remote !== this.#last?.remote && (await this.#transport.tipAt(remote)) !== here.tip)
          throw otherTipRefused("unknown", remote, this.#last!);
        const tip = await this.#transport.transfer(this.#gitFolder, remote, step, here);
        markArrived(this.#gitFolder, tip, remote);
        this.#open(tip, remote);
      });
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
    await this.#turn.catch(() => undefined);
    this.#reader?.close();
    this.#reader = null;
    this.#lock.release();
    this.#place.fetcher?.close();
  }

  async #named(name: string): Promise<CommitId | null> {
    const own = ["HEAD", "@", this.#place.branch, `refs/heads/${this.#place.branch}`, `origin/${this.#place.branch}`];
    if (own.includes(name)) return this.#tip;
    if (/^[0-9a-f]{4,40}$/.test(name)) {
      const known = this.#reader!.expand(name);
      if (known !== null) return known;
      if (name.length === 40) return (await this.#hold(name as CommitId)) ? (name as CommitId) : null;
    }
    const oid = /^[\w./-]{1,200}$/.test(name)
      ? await inOrder(this.#remotes, (remote) => this.#transport.refAt(remote, name))
      : null;
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
        if (this.#reader === reader) await inOrder(this.#remotes, (remote) => this.#clone(remote, "corrupt"));
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

  async #updateFrom(remote: string): Promise<CommitId> {
    const tip = await this.#transport.tipAt(remote);
    if (this.#reader === null) return this.#clone(remote, "old");
    const isFull = countPacks(this.#gitFolder) >= PACKS_MAX;
    if (tip === this.#tip) return isFull ? this.#clone(remote, "old") : this.#tip;
    try {
      if (isFull && remote === this.#last?.remote) return await this.#clone(remote, "old");
      // A branch set back to a commit we have costs nothing.
      const here = { tip: this.#tip!, reader: this.#reader };
      const arrived = this.#reader.hasCommit(tip)
        ? tip
        : await this.#transport.transfer(this.#gitFolder, remote, null, here);
      if (remote !== this.#last?.remote && (await this.#isBehind(remote, arrived))) return this.#tip!;
      markArrived(this.#gitFolder, arrived, remote);
      return this.#open(arrived, remote);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (error.code === "object-corrupt") return this.#clone(remote, "corrupt");
      // A rewritten branch makes git send its whole history; the newest commit alone may still fit.
      if (error.code === "pack-too-large") return this.#clone(remote, "old");
      throw error;
    }
  }

  /** Whether another remote than ours lags. Rejects where it neither does nor goes on from what we have. */
  async #isBehind(remote: string, theirs: string): Promise<boolean> {
    const [reader, ours, steps] = [this.#reader!, this.#tip!, [...DEEPEN_STEPS]];
    if (this.#unproved === `${ours} ${theirs}`) throw otherTipRefused("unknown", remote, this.#last!);
    const verdict = await judgeOtherRemote(reader, { ours, theirs }, async () => {
      const step = steps.shift();
      if (step === undefined || reader.shallowCommits().size === 0) return false;
      await this.#transport.transfer(this.#gitFolder, remote, step, { tip: ours, reader });
      return true;
    });
    if (verdict === "unknown") this.#unproved = `${ours} ${theirs}`;
    if (verdict === "ahead" || verdict === "behind") return verdict === "behind";
    throw otherTipRefused(verdict, remote, this.#last!);
  }

  /** A fresh clone beside the mirror, then in its place. What was there is removed, or kept once as `corrupt`. */
  async #clone(remote: string, previous: "old" | "corrupt"): Promise<CommitId> {
    const fresh = join(this.#place.folder, `clone-${process.pid}-${++this.#clones}`);
    try {
      initMirror(fresh);
      let tip = await this.#transport.transfer(fresh, remote, 1, null);
      let depth = 1;
      const known = this.#last;
      if (known !== null && known.remote !== remote && known.tip !== tip) {
        const proved = await proveDescent(this.#transport, { folder: fresh, remote, tip }, known.tip, DEEPEN_STEPS);
        if (proved === null) throw otherTipRefused("unknown", remote, known);
        ({ tip, depth } = proved);
      }
      markArrived(fresh, tip, remote);
      fs.writeFileSync(join(fresh, SOURCE_FILE), this.#identity);
      this.#setAside(previous);
      fs.renameSync(fresh, this.#gitFolder);
      this.#deepenedTo = depth;
      return this.#open(tip, remote);
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

  #open(tip: string, remote: string): CommitId {
    this.#reader ??= new CommitReader(this.#gitFolder);
    this.#tip = tip as CommitId;
    this.#last = { tip, remote };
    this.#unproved = "";
    return this.#tip;
  }

  #openExisting(): void {
    if (!fs.existsSync(this.#gitFolder)) return;
    try {
      removeDrafts(join(this.#gitFolder, "objects"));
      const mark = readMark(this.#gitFolder, this.#remotes, this.#identity);
      if (mark === null) {
        this.#setAside("old");
        return;
      }
      const { tip, remote } = mark;
      if (remote !== null) this.#last = { tip, remote };
      checkTip(this.#gitFolder, tip);
      this.#open(tip, remote ?? this.#remotes[0]!);
    } catch (error) {
      // Whatever is wrong with the copy, the source has the original.
      if (!(error instanceof OperationError || (error as NodeJS.ErrnoException).code !== undefined)) throw error;
      this.#setAside("corrupt");
    }
  }

  #alone<T>(act: () => Promise<T>): Promise<T> {
    const next = this.#turn.then(act, act);
    this.#turn = next.catch(() => undefined);
    return next;
  }
}
