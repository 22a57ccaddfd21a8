import fs from "node:fs";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";
import type { CommitReader } from "./commit-reader.ts";
import { displayUrl } from "./display-url.ts";
import { type Fetcher, localFetcher, remoteOf } from "./remote/fetcher.ts";
import type { PackLimits } from "./remote/index-pack.ts";
import type { RemoteAccess } from "./remote/remote-access.ts";
import type { PackRequest, RemoteRef } from "./remote/upload-pack.ts";
import { writeDurably } from "./write-objects.ts";

export interface MirrorLimits extends PackLimits {
  /** To ask for the tip, milliseconds. */
  readonly pollTimeoutMs: number;
  /** To fetch a pack and take it in, milliseconds. */
  readonly transferTimeoutMs: number;
  /** Of one pack, bytes. It is held in memory twice while it is taken apart. */
  readonly packBytesMax: number;
}

export const MIRROR_LIMITS: MirrorLimits = {
  pollTimeoutMs: 20_000,
  // 256 MiB over 7 Mbit/s; an ordinary repository takes a second.
  transferTimeoutMs: 300_000,
  packBytesMax: 256 * 1024 * 1024,
  // As much as a reader would hold to resolve a delta.
  objectBytesMax: 64 * 1024 * 1024,
  // The history of a large project has some hundred thousand; each costs some 50 µs.
  objectsMax: 1_000_000,
  // Ten times what a pack of that size has as a rule; zeros are a thousand times.
  inflatedBytesMax: 2_560 * 1024 * 1024,
  // 4,096 bytes of path, and sixteen to a name. A reader goes no deeper than 64.
  pathDepthMax: 256,
};

/** Of a list of refs, bytes: a pack's limit is not theirs. */
const REFS_BYTES_MAX = 32 * 1024 * 1024;

export interface TransportOptions {
  readonly fetcher?: Fetcher;
  readonly access?: RemoteAccess;
}

/** What a mirror has. */
export interface Here {
  readonly tip: string;
  readonly reader: CommitReader;
}

/** What a mirror asks of the network, and how what comes back gets on disk. */
export class MirrorTransport {
  readonly #branch: string;
  readonly #limits: MirrorLimits;
  readonly #fetcher: Fetcher;
  readonly #access: RemoteAccess;

  constructor(branch: string, limits: MirrorLimits, options: TransportOptions = {}) {
    this.#branch = branch;
    this.#limits = limits;
    this.#fetcher = options.fetcher ?? localFetcher;
    this.#access = options.access ?? {};
  }

  /** The branch's tip at that remote. Rejects with `branch-missing`. */
  async tipAt(remote: string): Promise<string> {
    const tip = await this.oidAt(remote, this.#ref);
    if (tip === null) throw this.#branchMissing(remote);
    return tip;
  }

  /** What that ref is there, by its full name; null: there is none. */
  async oidAt(remote: string, ref: string): Promise<string | null> {
    return (await this.#refs(remote, ref)).find(({ name }) => name === ref)?.oid ?? null;
  }

  /** The commit a tag or a branch of that remote points to, or null. */
  async refAt(remote: string, name: string): Promise<string | null> {
    for (const ref of [`refs/tags/${name}`, `refs/heads/${name}`]) {
      const found = (await this.#refs(remote, ref)).find((each) => each.name === ref);
      if (found !== undefined) return found.peeled ?? found.oid;
    }
    return null;
  }

  /**
   * Brings what is missing into that repository and returns the tip. Without a depth only what is new arrives; with one, history. `here`: what
   * it has already, and a commit of it with all that belongs to that. On a rejection, and wherever it is killed, nothing is believed that has not arrived:
   * where history ends is written before the pack that ends there, and where it no longer ends after the pack that goes on.
   */
  async transfer(
    gitFolder: string,
    remote: string,
    depth: number | null,
    here: Here | null,
    ref = this.#ref,
  ): Promise<string> {
    const shallow = readShallow(gitFolder);
    const request: PackRequest = {
      ref,
      have: here === null ? [] : [here.tip],
      shallow: [...shallow],
      depth,
    };
    const { transferTimeoutMs: timeoutMs, packBytesMax: maxBytes, ...limits } = this.#limits;
    const fetched = await this.#fetcher.pack(remoteOf(remote, this.#access), request, {
      timeoutMs,
      maxBytes,
      ...limits,
    });
    if (fetched === null) throw this.#branchMissing(remote);
    // By depth a history ends wherever the server stopped counting, also where what is older is here already.
    const ends = new Set([...shallow, ...fetched.shallow.filter((oid) => !here?.reader.hasParents(oid))]);
    await writeShallow(gitFolder, shallow, ends);
    const packs = join(gitFolder, "objects", "pack");
    await writeDurably(join(packs, `pack-${fetched.name}.pack`), fetched.pack);
    // Readers look for indexes: without one there is no pack.
    await writeDurably(join(packs, `pack-${fetched.name}.idx`), fetched.index);
    await writeShallow(gitFolder, ends, new Set([...ends].filter((oid) => !fetched.unshallow.includes(oid))));
    return fetched.tip;
  }

  get #ref(): string {
    return `refs/heads/${this.#branch}`;
  }

  #refs(remote: string, prefix: string): Promise<readonly RemoteRef[]> {
    const limits = { timeoutMs: this.#limits.pollTimeoutMs, maxBytes: REFS_BYTES_MAX };
    return this.#fetcher.refs(remoteOf(remote, this.#access), prefix, limits);
  }

  #branchMissing(remote: string): OperationError {
    return new OperationError("branch-missing", `there is no branch ${this.#branch} at ${displayUrl(remote)}`, {
      next: "push the branch, or set another one; what runs keeps running",
    });
  }
}

/** An empty bare repository, as git would make it. */
export function initMirror(gitFolder: string): void {
  for (const below of ["objects/pack", "objects/info", "refs/heads", "refs/tags"])
    fs.mkdirSync(join(gitFolder, below), { recursive: true, mode: 0o700 });
  fs.writeFileSync(join(gitFolder, "HEAD"), "ref: refs/heads/fleet\n");
  fs.writeFileSync(join(gitFolder, "config"), "[core]\n\trepositoryformatversion = 0\n\tbare = true\n");
}

function readShallow(gitFolder: string): ReadonlySet<string> {
  const path = join(gitFolder, "shallow");
  const text = fs.existsSync(path) ? fs.readFileSync(path, "latin1") : "";
  return new Set(text.split("\n").filter((line) => /^[0-9a-f]{40}$/.test(line)));
}

async function writeShallow(gitFolder: string, before: ReadonlySet<string>, ends: ReadonlySet<string>): Promise<void> {
  if (before.size === ends.size && [...ends].every((oid) => before.has(oid))) return;
  const path = join(gitFolder, "shallow");
  if (ends.size === 0) fs.rmSync(path, { force: true });
  else
    await writeDurably(
      path,
      [...ends]
        .sort()
        .map((oid) => `${oid}\n`)
        .join(""),
    );
}
