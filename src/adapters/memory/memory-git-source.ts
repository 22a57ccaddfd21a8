import { type CommitId, compareText } from "../../domain/names.ts";
import type { ChangedFile, CommitDescription, GitSource, TreeFile } from "../../ports/git-source.ts";
import { OperationError } from "../../ports/operation-error.ts";

interface MemoryCommit {
  readonly files: ReadonlyMap<string, Omit<TreeFile, "path">>;
  readonly parents: readonly CommitId[];
  readonly description: CommitDescription;
  /** The commit object as git would lay it out; its ids are those of memory. */
  readonly raw: Uint8Array;
}

export interface MemoryCommitOptions {
  readonly parents?: readonly CommitId[];
  readonly subject?: string;
  readonly authoredMs?: number;
  /** The armored signature of that payload. */
  readonly sign?: (payload: Uint8Array) => string;
}

/** A file's text, its bytes, or what else a tree can hold in its place. */
export type MemoryFile =
  | string
  | { readonly kind: "file"; readonly bytes: Uint8Array; readonly executable?: true }
  | { readonly kind: "symlink" | "submodule" };

/** The repository itself, which any number of machines' sources look at. */
export class MemoryRepository {
  readonly commits = new Map<CommitId, MemoryCommit>();
  readonly blobs = new Map<string, Uint8Array>();
  readonly branches = new Map<string, CommitId>();
  readonly tags = new Map<string, CommitId>();
  /** Refs beside branches and tags, by their full names. */
  readonly refs = new Map<string, CommitId>();

  /** A new commit. Its id is a pure function of everything in it, parents included; no branch moves. */
  commit(files: Readonly<Record<string, MemoryFile>>, options: MemoryCommitOptions = {}): CommitId {
    const tree = new Map<string, Omit<TreeFile, "path">>();
    for (const path of Object.keys(files).sort(compareText)) {
      const file = files[path]!;
      if (typeof file === "string") {
        const oid = hash40(`blob\0${file}`);
        this.blobs.set(oid, new TextEncoder().encode(file));
        tree.set(path, { oid, kind: "file" });
      } else if (file.kind === "file") {
        const oid = hash40(`blob\0${Buffer.from(file.bytes).toString("latin1")}`);
        this.blobs.set(oid, file.bytes);
        tree.set(path, { oid, kind: "file", ...(file.executable === true ? { executable: true } : {}) });
      } else tree.set(path, { oid: hash40(`${file.kind}\0${path}`), kind: file.kind });
    }
    const parents = options.parents ?? [];
    const subject = options.subject ?? "";
    const authoredMs = options.authoredMs ?? 0;
    const content = [[...tree], parents, subject, authoredMs];
    const payload = rawCommit(hash40(JSON.stringify([...tree])), parents, subject, authoredMs);
    const signature = options.sign?.(new TextEncoder().encode(payload));
    const id = hash40(JSON.stringify(signature === undefined ? content : [...content, signature])) as CommitId;
    const description = { commit: id, author: "memory", subject, authoredMs };
    const raw = new TextEncoder().encode(signature === undefined ? payload : signedCommit(payload, signature));
    this.commits.set(id, { files: tree, parents, description, raw });
    return id;
  }

  /** Moves a branch anywhere, as a force-push would; null deletes it. */
  setBranch(branch: string, commit: CommitId | null): void {
    if (commit === null) this.branches.delete(branch);
    else this.branches.set(branch, commit);
  }

  /** Commits on top of the branch's tip (a first commit where there is none) and moves the branch there. */
  push(
    branch: string,
    files: Readonly<Record<string, MemoryFile>>,
    subject = "",
    options: MemoryCommitOptions = {},
  ): CommitId {
    const tip = this.branches.get(branch);
    const commit = this.commit(files, { parents: tip === undefined ? [] : [tip], subject, ...options });
    this.branches.set(branch, commit);
    return commit;
  }
}

/**
 * One machine's view of a MemoryRepository: what it has fetched, and its faults. Commits it has not fetched are asked for
 * when they are named, as a mirror does.
 */
export class MemoryGitSource implements GitSource {
  /** The remote does not answer; what was fetched can still be read. */
  down = false;
  /** What `fetch` sees of the branch lags behind: it returns this commit while set. */
  stale: CommitId | null = null;
  /** Ancestry below what was fetched cannot be had (a shallow mirror at its cap): `no` becomes `unknown`. */
  shallow = false;
  readonly #repository: MemoryRepository;
  readonly #branch: string;
  readonly #held = new Set<CommitId>();
  #tip: CommitId | null = null;

  constructor(repository: MemoryRepository, branch: string) {
    this.#repository = repository;
    this.#branch = branch;
  }

  async fetch(): Promise<CommitId> {
    this.#reach();
    const tip = this.stale ?? this.#repository.branches.get(this.#branch);
    if (tip === undefined) {
      throw new OperationError("branch-missing", `there is no branch ${this.#branch}`, { next: "push the branch" });
    }
    this.#tip = tip;
    this.#held.add(tip);
    return tip;
  }

  async resolve(revision: string): Promise<CommitId | null> {
    const parts = /^([^~^\s]+)((?:[~^]\d{0,5})*)$/.exec(revision);
    if (parts === null) return null;
    let commit = await this.#named(parts[1]!);
    for (const [step] of parts[2]!.matchAll(/[~^]\d*/g)) {
      const count = step.length === 1 ? 1 : Number(step.slice(1));
      const times = step[0] === "~" ? count : Math.min(count, 1);
      const which = step[0] === "~" ? 0 : count - 1;
      for (let back = 0; back < times && commit !== null; back++) {
        commit = this.#repository.commits.get(commit)?.parents[which] ?? null;
      }
    }
    return commit;
  }

  async listFiles(commit: CommitId, folders: readonly string[]): Promise<readonly TreeFile[]> {
    const tree = this.#commit(commit).files;
    const wanted = folders.map((folder) =>
      folder
        .split("/")
        .filter((step) => step !== "")
        .join("/"),
    );
    return [...tree]
      .filter(([path]) => wanted.some((folder) => folder === "" || path === folder || path.startsWith(`${folder}/`)))
      .map(([path, file]) => ({ path, ...file }));
  }

  async readBlob(oid: string, maxBytes: number): Promise<Uint8Array> {
    const blob = this.#repository.blobs.get(oid);
    if (blob === undefined) throw new OperationError("blob-unknown", `the repository has no file content ${oid}`);
    if (blob.length > maxBytes) {
      throw new OperationError(
        "blob-too-large",
        `git object ${oid} has ${blob.length} bytes, more than the ${maxBytes} allowed`,
      );
    }
    return blob;
  }

  async isAncestor(ancestor: CommitId, descendant: CommitId): Promise<"yes" | "no" | "unknown"> {
    this.#commit(descendant);
    const seen = new Set([descendant]);
    for (const commit of seen) {
      if (commit === ancestor) return "yes";
      for (const parent of this.#repository.commits.get(commit)?.parents ?? []) seen.add(parent);
    }
    return this.shallow ? "unknown" : "no";
  }

  async readCommit(commit: CommitId): Promise<Uint8Array> {
    return this.#commit(commit).raw;
  }

  async changedFiles(before: CommitId | null, after: CommitId): Promise<readonly ChangedFile[]> {
    const now = this.#commit(after).files;
    const old: MemoryCommit["files"] = before === null ? new Map() : this.#commit(before).files;
    return [...new Set([...old.keys(), ...now.keys()])]
      .filter((path) => old.get(path)?.oid !== now.get(path)?.oid)
      .sort(compareText)
      .map((path) => ({ path, oid: now.get(path)?.oid ?? null }));
  }

  async commitAt(ref: string): Promise<Uint8Array | null> {
    this.#reach();
    const commit = this.#repository.refs.get(ref);
    return commit === undefined ? null : this.#commit(commit).raw;
  }

  async describeCommit(commit: CommitId): Promise<CommitDescription> {
    return this.#commit(commit).description;
  }

  async close(): Promise<void> {}

  async #named(name: string): Promise<CommitId | null> {
    const { branches, tags, commits } = this.#repository;
    if (name === "HEAD" || name === "@" || name === this.#branch) {
      if (this.#tip === null) await this.fetch();
      return this.#tip;
    }
    const named = tags.get(name) ?? branches.get(name);
    if (named !== undefined) return named;
    if (!/^[0-9a-f]{4,40}$/.test(name)) return null;
    const found = [...commits.keys()].filter((id) => id.startsWith(name));
    if (found.length > 1)
      throw new OperationError("revision-ambiguous", `${name} is the start of more than one commit's id`);
    return found[0] ?? null;
  }

  #commit(commit: CommitId): MemoryCommit {
    const found = this.#repository.commits.get(commit);
    if (found !== undefined && !this.#held.has(commit)) this.#reach();
    if (found === undefined) {
      throw new OperationError("commit-unknown", `the repository has no commit ${commit}`, { next: "push the commit" });
    }
    this.#held.add(commit);
    return found;
  }

  #reach(): void {
    if (this.down)
      throw new OperationError("source-unreachable", "cannot reach the repository", { next: "check the network" });
  }
}

function rawCommit(tree: string, parents: readonly CommitId[], subject: string, authoredMs: number): string {
  const by = `memory <memory@example.org> ${Math.floor(authoredMs / 1000)} +0000`;
  const lines = [`tree ${tree}`, ...parents.map((parent) => `parent ${parent}`), `author ${by}`, `committer ${by}`];
  return `${lines.join("\n")}\n\n${subject}\n`;
}

function signedCommit(payload: string, signature: string): string {
  const end = payload.indexOf("\n\n");
  return `${payload.slice(0, end)}\ngpgsig ${signature.replaceAll("\n", "\n ")}${payload.slice(end)}`;
}

/** 40 hexadecimal digits from a text, the same on every run (FNV-1a with five seeds). Ids of tests, no protection. */
function hash40(text: string): string {
  let id = "";
  for (let seed = 1; seed <= 5; seed++) {
    let hash = (0x811c9dc5 ^ Math.imul(seed, 0x9e3779b1)) >>> 0;
    for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193) >>> 0;
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b) >>> 0;
    id += ((hash ^ (hash >>> 13)) >>> 0).toString(16).padStart(8, "0");
  }
  return id;
}
