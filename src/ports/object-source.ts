import type { CommitId } from "../domain/names.ts";

/** What of a repository can be handed on as it is, to somebody who hashes it and believes nothing else. */
export interface ObjectSource {
  /** Brings a mirror up to date and returns the branch's tip, as GitSource's does. */
  fetch(wanted?: CommitId): Promise<CommitId>;
  /** What the last fetch came to, whoever asked for it; null where nothing was fetched yet. Reads only the disk. */
  lastTip(): CommitId | null;
  /** The object as it is stored, decompressed and verified. A size above `maxBytes` is told before the content is read. */
  readObject(oid: string, maxBytes: number): Promise<StoredObject>;
  /**
   * What goes with these commits: the root tree of each, and the commits before them, nearest first, at most `commitsMax`, without
   * those in `have` and what only they lead to. Deepens a shallow mirror where it ends before that many.
   */
  related(commits: readonly string[], have: ReadonlySet<string>, commitsMax: number): Promise<RelatedObjects>;
  /** Brings more history into a shallow mirror, by one step; false where there is no more, or no more is asked for. */
  deepen(): Promise<boolean>;
  /**
   * The trees that are new in one commit after another, the root's first, each after one that names it; null where there are more than
   * `max`, or not both commits are here.
   */
  changedTrees(before: string, after: string, max: number): Promise<readonly ChangedTree[] | null>;
}

export interface ChangedTree {
  readonly oid: string;
  /** The tree that was in its place; null where there was none. */
  readonly base: string | null;
}

/** Ids. */
export interface RelatedObjects {
  readonly roots: readonly string[];
  readonly before: readonly string[];
}

export type ObjectType = "commit" | "tree" | "blob" | "tag";

export type StoredObject =
  | { readonly kind: "here"; readonly type: ObjectType; readonly content: Uint8Array }
  | { readonly kind: "missing" | "too-large" };
