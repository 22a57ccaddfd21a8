import { mkdirSync } from "node:fs";
import type { CommitId } from "../../domain/names.ts";
import type { ChangedFile, CommitDescription, GitSource, TreeFile } from "../../ports/git-source.ts";
import { type Log, warning } from "../../ports/log.ts";
import type { ChangedTree, ObjectSource, RelatedObjects, StoredObject } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { diskError } from "../files/disk-error.ts";
import { HISTORY_MAX, IDS_MAX, OBJECT_BYTES_MAX } from "../objects-proto/objects-proto.ts";
import { changedFiles } from "./changed-files.ts";
import { type Ancestry, CommitReader } from "./commit-reader.ts";
import { tooLarge } from "./git-object.ts";
import { HubStore } from "./hub-store.ts";
import { lockMirror, type MirrorLock } from "./mirror-lock.ts";
import { type HubLimits, invalid, ObjectClient } from "./object-client.ts";
import { type NotHad, notThere, ObjectFetcher } from "./object-fetcher.ts";
import { resolveRevision } from "./resolve-revision.ts";
import { Together } from "./together.ts";
import { treesOf } from "./trees-of.ts";

export const HUB_LIMITS: HubLimits = {
  // The engine's own: 20 s for a poll, which may have to wait for the one before.
  tipTimeoutMs: 45_000,
  answerTimeoutMs: 120_000,
};

/** Questions about one pair of commits: 16,000 commits, about 5 MB. After the last the answer is `unknown`. */
const HISTORY_QUESTIONS_MAX = 16;

export interface HubPlace {
  /** Of the relay's socket: `unix:/path`. */
  readonly target: string;
  /** Of the engines' mirror; null takes the one they follow. */
  readonly branch: string | null;
  /** A folder for this source alone, or one that a mirror had; made where it is missing. */
  readonly folder: string;
  readonly log?: Log;
  readonly limits?: HubLimits;
}

export interface HubGitSource extends GitSource, ObjectSource {
  /** Questions asked of engines so far. */
  readonly asked: number;
  close(): Promise<void>;
}

/**
 * A branch as engines have it: raw objects, each hashed here before it is kept, in a repository of this machine's own. Opening reads only
 * the disk, so what was read once can be read with every engine gone. That a tip is the branch's is an engine's word: who asks judges by
 * ancestry and by signatures. Rejects with `mirror-busy` where another process has the folder.
 */
export async function openHubGitSource(place: HubPlace): Promise<HubGitSource> {
  mkdirSync(place.folder, { recursive: true, mode: 0o700 });
  const lock = lockMirror(place.folder);
  try {
    return new Hub(place, lock);
  } catch (error) {
    lock.release();
    throw diskError("write", place.folder, error);
  }
}

class Hub implements HubGitSource {
  readonly #branch: string | null;
  readonly #log: Log | undefined;
  readonly #lock: MirrorLock;
  readonly #client: ObjectClient;
  readonly #store: HubStore;
  readonly #fetcher: ObjectFetcher;
  readonly #reader: CommitReader;
  readonly #blobs: Together<{ readonly oid: string; readonly maxBytes: number }, NotHad>;
  #fetching: { readonly wanted: CommitId | undefined; readonly tip: Promise<CommitId> } | null = null;

  constructor(place: HubPlace, lock: MirrorLock) {
    this.#branch = place.branch;
    this.#log = place.log;
    this.#lock = lock;
    this.#store = new HubStore(place.folder, (what) =>
      place.log?.(warning(`git data on the disk is damaged: ${what}`)),
    );
    this.#client = new ObjectClient(place.target, place.limits ?? HUB_LIMITS, (oid) => {
      const tree = this.#store.read(oid, OBJECT_BYTES_MAX);
      return tree?.type === "tree" ? tree.content : null;
    });
    this.#fetcher = new ObjectFetcher(this.#client, this.#store);
    this.#reader = new CommitReader(this.#store.gitFolder, this.#store);
    this.#blobs = new Together((wanted) => {
      const maxBytes = Math.max(...wanted.map((each) => each.maxBytes));
      return this.#bringBlobs(
        wanted.map(({ oid }) => oid),
        maxBytes,
      );
    });
  }

  get asked(): number {
    return this.#client.asked;
  }

  fetch(wanted?: CommitId): Promise<CommitId> {
    if (this.#fetching?.wanted === wanted && this.#fetching !== null) return this.#fetching.tip;
    const tip = this.#update(wanted).finally(() => {
      if (this.#fetching?.tip === tip) this.#fetching = null;
    });
    this.#fetching = { wanted, tip };
    return tip;
  }

  async resolve(revision: string): Promise<CommitId | null> {
    if (this.#store.tip === null) await this.fetch();
    return resolveRevision(
      revision,
      (name) => this.#named(name),
      () => this.#reader,
    );
  }

  async listFiles(commit: CommitId, folders: readonly string[]): Promise<readonly TreeFile[]> {
    await this.#require(commit);
    await this.#store.reading(commit);
    for (const level of treesOf(this.#reader.tree, this.#reader.commit(commit)!.tree, folders)) {
      const { missing } = await this.#fetcher.bring({ ids: level, type: "tree", maxBytes: OBJECT_BYTES_MAX });
      for (const oid of missing) throw notThere(`the tree ${oid} of commit ${commit}`);
    }
    return this.#reader.listFiles(commit, folders);
  }

  async readBlob(oid: string, maxBytes: number): Promise<Uint8Array> {
    // A look at what is there may find that it is damaged; then it is asked for.
    const here = this.#store.read(oid, maxBytes);
    if (here?.type === "blob") return here.content;
    const notHad = await this.#blobs.ask({ oid, maxBytes });
    if (notHad.tooLarge.has(oid)) throw tooLarge(oid, null, maxBytes);
    return this.#reader.readBlob(oid, maxBytes);
  }

  async prefetch(oids: readonly string[], maxBytes: number): Promise<void> {
    await this.#bringBlobs(oids, maxBytes);
  }

  async isAncestor(ancestor: CommitId, descendant: CommitId): Promise<"yes" | "no" | "unknown"> {
    await this.#require(descendant);
    let found = await this.#reader.ancestry(ancestor, descendant);
    for (let questions = 0; found.answer === "unknown" && questions < HISTORY_QUESTIONS_MAX; questions++) {
      if (!(await this.#bringHistory(found, ancestor))) break;
      found = await this.#reader.ancestry(ancestor, descendant);
    }
    return found.answer;
  }

  async readCommit(commit: CommitId): Promise<Uint8Array> {
    await this.#require(commit);
    return this.#reader.raw(commit);
  }

  async changedFiles(before: CommitId | null, after: CommitId): Promise<readonly ChangedFile[]> {
    const roots = [];
    for (const commit of [after, ...(before === null ? [] : [before])]) {
      await this.#require(commit);
      roots.push(this.#reader.commit(commit)!.tree);
    }
    const [root, rootBefore = null] = roots;
    const walk = changedFiles(this.#reader.tree, rootBefore, root!);
    for (;;) {
      const { done, value } = walk.next();
      if (done) return value;
      const { missing } = await this.#fetcher.bring({ ids: value, type: "tree", maxBytes: OBJECT_BYTES_MAX });
      for (const oid of missing) throw notThere(`the tree ${oid} of commit ${after}`);
    }
  }

  async prefetchTrees(commits: readonly CommitId[], folders: readonly string[]): Promise<void> {
    await this.#bringCommits(commits);
    await this.#bringLevels(commits.map((commit) => treesOf(this.#reader.tree, this.#rootOf(commit), folders)));
  }

  async prefetchChanges(pairs: readonly (readonly [CommitId | null, CommitId])[]): Promise<void> {
    await this.#bringCommits(pairs.flatMap((pair) => pair.filter((commit) => commit !== null)));
    await this.#bringLevels(
      pairs.map(([before, after]) =>
        changedFiles(this.#reader.tree, before === null ? null : this.#rootOf(before), this.#rootOf(after)),
      ),
    );
  }

  async describeCommit(commit: CommitId): Promise<CommitDescription> {
    await this.#require(commit);
    return this.#reader.describe(commit);
  }

  lastTip(): CommitId | null {
    return this.#store.tip;
  }

  async readObject(oid: string, maxBytes: number): Promise<StoredObject> {
    return this.#reader.stored(oid, maxBytes);
  }

  /** What is before is asked for when somebody asks about it. */
  async deepen(): Promise<boolean> {
    return false;
  }

  async changedTrees(before: string, after: string, max: number): Promise<readonly ChangedTree[] | null> {
    return this.#reader.changedTrees(before, after, max);
  }

  related(commits: readonly string[], have: ReadonlySet<string>, commitsMax: number): Promise<RelatedObjects> {
    return this.#reader.related(commits, have, commitsMax);
  }

  async close(): Promise<void> {
    await this.#fetching?.tip.catch(() => undefined);
    this.#client.close();
    this.#reader.close();
    this.#lock.release();
  }

  async #bringCommits(ids: readonly CommitId[]): Promise<void> {
    const history = { commitsMax: 0, have: [], roots: true };
    await this.#fetcher.bring({ ids, type: "commit", maxBytes: OBJECT_BYTES_MAX, history });
  }

  #rootOf(commit: CommitId): string {
    const found = this.#reader.commit(commit);
    if (found === null) throw notThere(`the commit ${commit}`);
    return found.tree;
  }

  /** All walks level by level, and each level of all of them at once: of a thousand commits as many questions as they are deep. */
  async #bringLevels(walks: readonly Generator<readonly string[], unknown>[]): Promise<void> {
    for (let going = walks; going.length > 0; ) {
      const ids: string[] = [];
      const onward: (typeof going)[number][] = [];
      for (const walk of going) {
        const { done, value } = walk.next();
        if (done) continue;
        ids.push(...(value as readonly string[]));
        onward.push(walk);
      }
      const { missing } = await this.#fetcher.bring({ ids, type: "tree", maxBytes: OBJECT_BYTES_MAX });
      for (const oid of missing) throw notThere(`the tree ${oid}`);
      going = onward;
    }
  }

  #bringBlobs(ids: readonly string[], maxBytes: number): Promise<NotHad> {
    return this.#fetcher.bring({ ids, type: "blob", maxBytes: Math.min(maxBytes, OBJECT_BYTES_MAX) });
  }

  async #update(wanted: CommitId | undefined): Promise<CommitId> {
    const { commit, branch } = await this.#client.tip(wanted ?? "");
    if (!/^[0-9a-f]{40}$/.test(commit)) throw invalid("its tip is no commit's id");
    if (this.#branch !== null && branch !== this.#branch) {
      throw new OperationError("branch-missing", `the engines follow branch ${branch}, not ${this.#branch}`, {
        next: "set the cluster's branch on this machine",
      });
    }
    const known = this.#store.tip;
    const have = known === null || known === commit ? [] : [known];
    // Of a branch that is new here the past is asked for only when somebody asks about it.
    const history = { commitsMax: have.length === 0 ? 0 : HISTORY_MAX, have, roots: true };
    await this.#fetcher.bring({ ids: [commit], type: "commit", maxBytes: OBJECT_BYTES_MAX, history });
    if (this.#reader.commit(commit) === null) throw notThere(`the commit ${commit}, which it calls its branch's tip`);
    await this.#store.setTip(commit as CommitId);
    await this.#tidy();
    return commit as CommitId;
  }

  /** A disk without room for it is no reason not to go on. */
  async #tidy(): Promise<void> {
    try {
      await this.#store.tidy();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#log?.(warning(`git data is not tidied up: ${error.message}`));
    }
  }

  /** More of the history at whose end it is not known; false where there is no more to be had. */
  async #bringHistory({ missing }: Ancestry, ancestor: CommitId): Promise<boolean> {
    const ids = missing.slice(0, IDS_MAX);
    if (ids.length === 0) return false;
    const history = { commitsMax: HISTORY_MAX, have: [ancestor], roots: false };
    const { missing: notHad } = await this.#fetcher.bring({
      ids,
      type: "commit",
      maxBytes: OBJECT_BYTES_MAX,
      history,
    });
    return notHad.size < ids.length;
  }

  async #named(name: string): Promise<CommitId | null> {
    const branch = this.#branch ?? "HEAD";
    if (["HEAD", "@", branch, `refs/heads/${branch}`, `origin/${branch}`].includes(name)) return this.#store.tip;
    if (!/^[0-9a-f]{4,40}$/.test(name)) return null;
    const known = this.#reader.expand(name);
    if (known !== null) return known;
    if (name.length === 40) return (await this.#hold(name as CommitId)) ? (name as CommitId) : null;
    await this.fetch();
    return this.#reader.expand(name);
  }

  async #require(commit: CommitId): Promise<void> {
    if (await this.#hold(commit)) return;
    throw new OperationError("commit-unknown", `the engine's mirror has no commit ${commit}`, {
      next: "push the commit to the branch that the cluster follows",
    });
  }

  /** Asks for the commit where it is not here; false where it is not to be had. */
  async #hold(commit: CommitId): Promise<boolean> {
    if (this.#reader.commit(commit) !== null) return true;
    await this.#bringCommits([commit]);
    return this.#reader.commit(commit) !== null;
  }
}
