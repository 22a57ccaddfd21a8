import { readSignature } from "../codec/signatures/read-signature.ts";
import { cutCommit } from "../codec/signatures/signed-commit.ts";
import type { CommitId } from "../domain/names.ts";
import type { CommitSignature } from "../domain/trust/commit-signature.ts";
import type { UnknownHistory } from "../domain/trust/history.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import { LeastRecent } from "./least-recent.ts";

/** A year of 50 commits a day. Beyond, somebody should look before machines believe it. */
export const HISTORY_COMMITS_MAX = 20_000;
/** Remembered across judgements: what is refused is asked for again every few seconds. */
const REMEMBERED_COMMITS_MAX = HISTORY_COMMITS_MAX;
/** Commits between two turns of the event loop: about 10 ms. */
const COMMITS_PER_TURN = 100;

export interface ReadCommit {
  readonly commit: CommitId;
  readonly parents: readonly CommitId[];
  readonly committedMs: number;
  readonly signature: CommitSignature;
}

/** What lies between two commits: every commit that is in the history of the later one and not in that of the earlier. */
export interface Between {
  readonly from: ReadCommit;
  readonly commits: ReadonlyMap<CommitId, ReadCommit>;
}

interface Walk {
  readonly queue: NewestFirst;
  /** In the history of the earlier commit. */
  readonly old: Set<CommitId>;
  /** Reached from the later one. */
  readonly seen: Set<CommitId>;
}

/** Reads commits with their signatures, each once. */
export class CommitHistory {
  readonly #source: Pick<GitSource, "readCommit">;
  readonly #read = new LeastRecent<CommitId, ReadCommit>(REMEMBERED_COMMITS_MAX);
  #reads = 0;

  constructor(source: Pick<GitSource, "readCommit">) {
    this.#source = source;
  }

  /** Rejects with OperationError where the commit cannot be read. */
  async commit(commit: CommitId): Promise<ReadCommit> {
    const known = this.#read.get(commit);
    if (known !== undefined) return known;
    if (++this.#reads % COMMITS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    const raw = await this.#source.readCommit(commit);
    const read = readOf(commit, raw);
    this.#read.set(commit, read, 1);
    return read;
  }

  /**
   * Newest first by what their committers claim, from both ends, as git itself goes: what only the earlier one has is not gone through.
   * Where clocks were wrong, a commit of the earlier one's own history may be among them; never is one left out. `known`: more commits
   * that the earlier one has.
   */
  async between(
    from: CommitId,
    to: CommitId,
    known: readonly CommitId[] = [],
  ): Promise<Between | { readonly kind: "unknown"; readonly because: UnknownHistory }> {
    const walk: Walk = { queue: new NewestFirst(), old: new Set(), seen: new Set([to]) };
    const { queue, old } = walk;
    const commits = new Map<CommitId, ReadCommit>();
    try {
      for (const commit of [from, ...known]) {
        old.add(commit);
        queue.add(await this.commit(commit), true);
      }
      if (!old.has(to)) queue.add(await this.commit(to), false);
      while (queue.newLeft > 0) {
        const { read, isOld } = queue.take();
        if (isOld) commits.delete(read.commit);
        else if (old.has(read.commit)) continue;
        else commits.set(read.commit, read);
        if (commits.size > HISTORY_COMMITS_MAX) return { kind: "unknown", because: "too-long" };
        for (const parent of read.parents) await this.#goOn(parent, isOld, walk);
      }
    } catch (error) {
      if (error instanceof OperationError && error.code === "commit-unknown")
        return { kind: "unknown", because: "too-short" };
      throw error;
    }
    return { from: await this.commit(from), commits };
  }

  async #goOn(parent: CommitId, isOld: boolean, { queue, old, seen }: Walk): Promise<void> {
    if (old.has(parent) || (!isOld && seen.has(parent))) return;
    (isOld ? old : seen).add(parent);
    try {
      queue.add(await this.commit(parent), isOld);
    } catch (error) {
      // Where the earlier one's own history ends, nothing of what lies between is missing.
      if (!(isOld && error instanceof OperationError && error.code === "commit-unknown")) throw error;
    }
  }
}

function readOf(commit: CommitId, raw: Uint8Array): ReadCommit {
  const cut = cutCommit(raw);
  // Parents must be right all the same, or the walk would end at it: git's own reader has checked that they are there.
  if (cut === null)
    return { commit, parents: looseParents(raw), committedMs: 0, signature: { kind: "bad", flaw: "malformed" } };
  const { parents, committedMs } = cut;
  return { commit, parents, committedMs, signature: readSignature(cut) };
}

/** Parents of a commit that is laid out otherwise, as git reads them: behind the tree, line by line. */
function looseParents(raw: Uint8Array): readonly CommitId[] {
  const lines = new TextDecoder("latin1").decode(raw).split("\n").slice(1);
  const end = lines.findIndex((line) => !/^parent [0-9a-f]{40}$/.test(line));
  return lines.slice(0, end < 0 ? lines.length : end).map((line) => line.slice("parent ".length) as CommitId);
}

/** Commits by the time they claim, newest first. Entries of one commit may be in it twice: as new, and later as old. */
class NewestFirst {
  readonly #heap: { readonly read: ReadCommit; readonly isOld: boolean }[] = [];
  /** How many are in it that are not known to be old. */
  newLeft = 0;

  add(read: ReadCommit, isOld: boolean): void {
    if (!isOld) this.newLeft++;
    const heap = this.#heap;
    let at = heap.push({ read, isOld }) - 1;
    while (at > 0) {
      const above = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[above]!)) break;
      [heap[at], heap[above]] = [heap[above]!, heap[at]!];
      at = above;
    }
  }

  take(): { readonly read: ReadCommit; readonly isOld: boolean } {
    const heap = this.#heap;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length > 0) {
      heap[0] = last;
      for (let at = 0; ; ) {
        const [left, right] = [2 * at + 1, 2 * at + 2];
        let least = at;
        if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
        if (right < heap.length && isBefore(heap[right]!, heap[least]!)) least = right;
        if (least === at) break;
        [heap[at], heap[least]] = [heap[least]!, heap[at]!];
        at = least;
      }
    }
    if (!first.isOld) this.newLeft--;
    return first;
  }
}

/** Of one time the old one first, so that it is known to be old before the new one is gone on from. */
function isBefore(a: { read: ReadCommit; isOld: boolean }, b: { read: ReadCommit; isOld: boolean }): boolean {
  return a.read.committedMs > b.read.committedMs || (a.read.committedMs === b.read.committedMs && a.isOld && !b.isOld);
}
