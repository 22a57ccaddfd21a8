import type { CommitId } from "../domain/names.ts";

/**
 * A git repository to read commits from: a local one in place or a bare mirror of a remote. Never a checkout. Names, modes
 * and sizes are checked before content is read. Rejects with OperationError (`source-unreachable`, `commit-unknown`, …).
 */
export interface GitSource {
  /**
   * Brings a mirror up to date (a local repository has nothing to do) and returns the branch's tip. `wanted`: a commit the caller has heard
   * of; where it is known to be on the branch, a tip from a moment ago will do.
   */
  fetch(wanted?: CommitId): Promise<CommitId>;
  /** A branch, tag, full or abbreviated id, `HEAD`, `HEAD~2` as a commit; null where there is none. */
  resolve(revision: string): Promise<CommitId | null>;
  /**
   * The files under each of these folders ("" is the root) in that commit, sorted by path, each once. A missing folder has
   * none; a path that is itself a file is that file. Rejects with `tree-name-refused` where a name is no plain file name.
   */
  listFiles(commit: CommitId, folders: readonly string[]): Promise<readonly TreeFile[]>;
  /** Contents of that blob. At most `maxBytes`, else rejects with `blob-too-large`. */
  readBlob(oid: string, maxBytes: number): Promise<Uint8Array>;
  /** These will be read next, those of at most `maxBytes`: a source far away brings them at once. Rejects as reading them would. */
  prefetch?(oids: readonly string[], maxBytes: number): Promise<void>;
  /** Is `ancestor` in the history of `descendant`? Deepens a shallow mirror as far as it may; `unknown` is an answer. */
  isAncestor(ancestor: CommitId, descendant: CommitId): Promise<"yes" | "no" | "unknown">;
  /** The commit object's own bytes, which its signature is made over. At most 16 MiB. */
  readCommit(commit: CommitId): Promise<Uint8Array>;
  /** What the trees of these two differ in, sorted by path; against null everything there is. At most 100,000 files (`tree-too-large`). */
  changedFiles(before: CommitId | null, after: CommitId): Promise<readonly ChangedFile[]>;
  /** These folders of these commits will be listed next, in any order: a source far away brings their trees at once. */
  prefetchTrees?(commits: readonly CommitId[], folders: readonly string[]): Promise<void>;
  /** What these differ in will be asked next, each as `changedFiles` takes them. */
  prefetchChanges?(pairs: readonly (readonly [CommitId | null, CommitId])[]): Promise<void>;
  /**
   * The commit object's own bytes behind a ref beside the branch, as it is now at the remote, such as `refs/fleet/approvals/…`; null: there
   * is no such ref, or no commit behind it. Absent: this source has only the branch.
   */
  commitAt?(ref: string): Promise<Uint8Array | null>;
  describeCommit(commit: CommitId): Promise<CommitDescription>;
}

export interface TreeFile {
  /** From the repository's root, with `/`. */
  readonly path: string;
  /** The blob's id: equal ids, equal bytes. */
  readonly oid: string;
  /** Only `file` can be a unit; the others are told apart so that they can be refused by name. */
  readonly kind: "file" | "symlink" | "submodule";
  /** Of a file that git lists as executable (100755). Absent: it is not. */
  readonly executable?: true;
}

export interface ChangedFile {
  readonly path: string;
  /** Of the blob that is there now; null: nothing is. */
  readonly oid: string | null;
}

export interface CommitDescription {
  readonly commit: CommitId;
  readonly author: string;
  readonly subject: string;
  /** Milliseconds since the epoch, as the author claims. */
  readonly authoredMs: number;
}
