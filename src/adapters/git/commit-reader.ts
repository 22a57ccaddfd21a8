import { readFileSync } from "node:fs";
import { join } from "node:path";
import { invariant } from "../../domain/invariant.ts";
import { type CommitId, compareText } from "../../domain/names.ts";
import type { ChangedFile, CommitDescription, TreeFile } from "../../ports/git-source.ts";
import type { ChangedTree, RelatedObjects, StoredObject } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { changedFiles } from "./changed-files.ts";
import { changedTrees } from "./changed-trees.ts";
import { type CommitObject, parseCommit, parseTagTarget } from "./commit-object.ts";
import { corrupt } from "./git-object.ts";
import { GitObjects } from "./git-objects.ts";
import { parseTree, type TreeEntry } from "./tree-object.ts";

/** Commits, tags and trees are small; a tree of 16 MiB has about 300,000 entries. */
export const METADATA_BYTES_MAX = 16 * 1024 * 1024;
/** What one listing may hold. A repository of units is thousands; a monorepo's root may be more, and is not what to list. */
export const LISTED_FILES_MAX = 100_000;
/** Deeper than any layout made by hand; PATH_MAX allows 2,048 folders of one letter. */
export const FOLDER_DEPTH_MAX = 64;
const TAG_CHAIN_MAX = 10;
/** The Linux kernel has about 1.3 million commits; a walk of them takes some seconds. Beyond, the answer is `unknown`. */
const WALKED_COMMITS_MAX = 2_000_000;
/** Trees remembered, of at most so many entries each: the folders of the last few commits, some MiB. */
const REMEMBERED_TREES_MAX = 64;
const REMEMBERED_ENTRIES_MAX = 1_000;
/** Commits between two turns of the event loop: about 10 ms. */
const COMMITS_PER_TURN = 500;

export type ObjectReader = Pick<GitObjects, "has" | "read" | "idsStartingWith" | "close">;

export interface Ancestry {
  readonly answer: "yes" | "no" | "unknown";
  readonly missing: readonly string[];
}

/** Reads commits, trees and blobs of one repository on disk. Knows nothing of branches or remotes. */
export class CommitReader {
  readonly #commonFolder: string;
  readonly #objects: ObjectReader;
  readonly #trees = new Map<string, readonly TreeEntry[]>();

  /** `commonFolder` holds `objects/` and `shallow`. */
  constructor(commonFolder: string, objects: ObjectReader = new GitObjects(join(commonFolder, "objects"))) {
    this.#commonFolder = commonFolder;
    this.#objects = objects;
  }

  close(): void {
    this.#objects.close();
  }

  hasCommit(oid: string): boolean {
    return this.#objects.has(oid);
  }

  /** Whether that commit is here, and every commit before it. */
  hasParents(oid: string): boolean {
    return this.commit(oid)?.parents.every((parent) => this.hasCommit(parent)) ?? false;
  }

  /** The commit an id means: itself, or what an annotated tag tags; null for a tree, a blob or an id that is not here. */
  peel(oid: string): CommitId | null {
    let at = oid;
    for (let step = 0; step < TAG_CHAIN_MAX; step++) {
      const object = this.#objects.read(at, METADATA_BYTES_MAX);
      if (object === null) return null;
      if (object.type === "commit") return at as CommitId;
      if (object.type !== "tag") return null;
      at = parseTagTarget(object.content, at);
    }
    return null;
  }

  /** A full id or its first digits as a commit; null where there is none. Rejects with `revision-ambiguous`. */
  expand(digits: string): CommitId | null {
    const commits = new Set<CommitId>();
    for (const id of digits.length === 40 ? [digits] : this.#objects.idsStartingWith(digits)) {
      const commit = this.peel(id);
      if (commit !== null) commits.add(commit);
    }
    if (commits.size > 1) {
      throw new OperationError("revision-ambiguous", `${digits} is the start of more than one commit's id`, {
        next: "give more digits",
      });
    }
    return [...commits][0] ?? null;
  }

  /** The commit, or null where it is not here. */
  commit(oid: string): CommitObject | null {
    const object = this.#objects.read(oid, METADATA_BYTES_MAX);
    return object === null || object.type !== "commit" ? null : parseCommit(object.content, oid);
  }

  describe(commit: CommitId): CommitDescription {
    const { author, subject, authoredMs } = this.#known(commit);
    return { commit, author, subject, authoredMs };
  }

  /** The object itself, byte for byte. */
  raw(commit: CommitId): Uint8Array {
    const object = this.#objects.read(commit, METADATA_BYTES_MAX);
    if (object?.type !== "commit") throw unknown(commit);
    return object.content;
  }

  /** See GitSource. */
  changedFiles(before: CommitId | null, after: CommitId): readonly ChangedFile[] {
    const walk = changedFiles(this.tree, before === null ? null : this.#known(before).tree, this.#known(after).tree);
    for (;;) {
      const { done, value } = walk.next();
      if (done) return value;
      for (const oid of value) throw corrupt(`the tree ${oid} is missing`);
    }
  }

  /** Also a path that is itself a file is listed. Sorted by path, each once, however the folders overlap. */
  listFiles(commit: CommitId, folders: readonly string[]): readonly TreeFile[] {
    const root: TreeEntry = { name: "", oid: this.#known(commit).tree, kind: "folder" };
    const files = new Map<string, TreeFile>();
    for (const folder of folders) {
      const steps = folder.split("/").filter((step) => step !== "");
      invariant(!steps.some((step) => step === "." || step === ".."), `${folder} is not a path from the root`);
      let entry: TreeEntry | undefined = root;
      for (const [depth, step] of steps.entries()) {
        if (entry?.kind !== "folder") entry = undefined;
        else entry = this.#tree(entry.oid, steps.slice(0, depth).join("/")).find(({ name }) => name === step);
      }
      if (entry !== undefined) this.#collect(entry, steps.join("/"), steps.length, files);
    }
    return [...files.values()].sort((a, b) => compareText(a.path, b.path));
  }

  readBlob(oid: string, maxBytes: number): Uint8Array {
    const object = this.#objects.read(oid, maxBytes);
    if (object?.type !== "blob") throw new OperationError("blob-unknown", `the repository has no file content ${oid}`);
    return object.content;
  }

  /** The object as it is, whatever it is. */
  stored(oid: string, maxBytes: number): StoredObject {
    try {
      const object = this.#objects.read(oid, maxBytes);
      return object === null ? { kind: "missing" } : { kind: "here", ...object };
    } catch (error) {
      if (error instanceof OperationError && error.code === "blob-too-large") return { kind: "too-large" };
      throw error;
    }
  }

  /** As ObjectSource's. */
  changedTrees(before: string, after: string, max: number): readonly ChangedTree[] | null {
    const [old, now] = [this.commit(before), this.commit(after)];
    return old === null || now === null ? null : changedTrees(this.tree, old.tree, now.tree, max);
  }

  /** As ObjectSource's, of what is here. `whole`: nothing was left out because it is missing. */
  async related(
    commits: readonly string[],
    have: ReadonlySet<string>,
    commitsMax: number,
  ): Promise<RelatedObjects & { readonly whole: boolean }> {
    const asked = new Set(commits);
    const seen = new Set(commits);
    const before: string[] = [];
    let whole = true;
    let walked = 0;
    for (const oid of seen) {
      if (before.length >= commitsMax) break;
      const commit = this.commit(oid);
      if (commit === null) whole = false;
      else if (!asked.has(oid)) before.push(oid);
      for (const parent of commit?.parents ?? []) if (!have.has(parent)) seen.add(parent);
      if (++walked % COMMITS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    const roots = commits.map((oid) => this.commit(oid)?.tree).filter((tree) => tree !== undefined);
    return { roots, before, whole };
  }

  async isAncestor(ancestor: CommitId, descendant: CommitId): Promise<"yes" | "no" | "unknown"> {
    return (await this.ancestry(ancestor, descendant)).answer;
  }

  /**
   * `no` only where the whole history of `descendant` was seen. A history that ends because the clone is shallow, or
   * because a commit is missing, is unknown: isomorphic-git's isDescendent says false there. `missing`: the commits it ends at.
   */
  async ancestry(ancestor: CommitId, descendant: CommitId): Promise<Ancestry> {
    if (ancestor === descendant) return { answer: "yes", missing: [] };
    const shallow = this.shallowCommits();
    const seen = new Set<string>([descendant]);
    const missing: string[] = [];
    let whole = true;
    // A Set is walked in the order of insertion, also of what is added meanwhile: breadth first.
    let walked = 0;
    for (const oid of seen) {
      const commit = this.commit(oid);
      if (commit === null || shallow.has(oid)) whole = false;
      if (commit === null) {
        missing.push(oid);
        continue;
      }
      if (commit.parents.includes(ancestor)) return { answer: "yes", missing };
      if (!shallow.has(oid)) for (const parent of commit.parents) seen.add(parent);
      if (++walked % COMMITS_PER_TURN === 0) await new Promise((resolve) => setImmediate(resolve));
      if (walked >= WALKED_COMMITS_MAX) return { answer: "unknown", missing };
    }
    return { answer: whole ? "no" : "unknown", missing };
  }

  /** Commits whose parents were left out when this repository was cloned. */
  shallowCommits(): ReadonlySet<string> {
    try {
      return new Set(
        readFileSync(join(this.#commonFolder, "shallow"), "utf8")
          .split("\n")
          .filter((line) => line !== ""),
      );
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return new Set();
      throw error;
    }
  }

  #known(commit: CommitId): CommitObject {
    const found = this.commit(commit);
    if (found !== null) return found;
    throw unknown(commit);
  }

  /** The entries of a tree, or null where it is not here. Commits one after the other share most of theirs. */
  readonly tree = (oid: string, path: string): readonly TreeEntry[] | null => {
    const known = this.#trees.get(oid);
    if (known !== undefined) return known;
    const object = this.#objects.read(oid, METADATA_BYTES_MAX);
    if (object?.type !== "tree") return null;
    const entries = parseTree(object.content, path);
    if (entries.length > REMEMBERED_ENTRIES_MAX) return entries;
    this.#trees.set(oid, entries);
    for (const oldest of this.#trees.keys()) {
      if (this.#trees.size <= REMEMBERED_TREES_MAX) break;
      this.#trees.delete(oldest);
    }
    return entries;
  };

  #tree(oid: string, path: string): readonly TreeEntry[] {
    const entries = this.tree(oid, path);
    if (entries === null) throw corrupt(`the tree ${oid} of ${path || "/"} is missing`);
    return entries;
  }

  #collect(entry: TreeEntry, path: string, depth: number, files: Map<string, TreeFile>): void {
    if (entry.kind !== "folder") {
      const executable = entry.executable === true ? { executable: true as const } : {};
      files.set(path, { path, oid: entry.oid, kind: entry.kind, ...executable });
      if (files.size <= LISTED_FILES_MAX) return;
      throw new OperationError(
        "tree-too-large",
        `the commit has more than ${LISTED_FILES_MAX} files in the folders asked for`,
        {
          next: "name narrower folders under `paths:` in the manifest",
        },
      );
    }
    if (depth > FOLDER_DEPTH_MAX) {
      throw new OperationError("tree-too-large", `${path.slice(0, 200)} is more than ${FOLDER_DEPTH_MAX} folders deep`);
    }
    for (const child of this.#tree(entry.oid, path)) {
      this.#collect(child, path === "" ? child.name : `${path}/${child.name}`, depth + 1, files);
    }
  }
}

function unknown(commit: CommitId): OperationError {
  return new OperationError("commit-unknown", `the repository has no commit ${commit}`, {
    next: "push the commit to the branch fleet follows, or fetch it",
  });
}
