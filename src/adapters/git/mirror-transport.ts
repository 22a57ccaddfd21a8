import fs from "node:fs";
import { join } from "node:path";
import { OperationError } from "../../ports/operation-error.ts";
import { displayUrl } from "./display-url.ts";
import { gitHttpClient } from "./git-http-client.ts";

export interface MirrorLimits {
  /** To ask for the tip, milliseconds. */
  readonly pollTimeoutMs: number;
  /** To fetch a pack and take it in, milliseconds. */
  readonly transferTimeoutMs: number;
  /** Of one pack, bytes. It is held in memory three times over while isomorphic-git takes it in. */
  readonly packBytesMax: number;
}

/** The ref of ours that says which tip has arrived in full. isomorphic-git moves its own refs before the pack is there. */
export const ARRIVED_REF = "refs/fleet/tip";

/** What goes over the network, by isomorphic-git: loaded on first use, for it costs about 50 ms. */
export class MirrorTransport {
  readonly #url: string;
  readonly #branch: string;
  readonly #limits: MirrorLimits;

  constructor(url: string, branch: string, limits: MirrorLimits) {
    this.#url = url;
    this.#branch = branch;
    this.#limits = limits;
  }

  /** The branch's tip at the remote. Rejects with `branch-missing`. */
  async remoteTip(): Promise<string> {
    const ref = `refs/heads/${this.#branch}`;
    const tip = (await this.#serverRefs(ref)).find(({ name }) => name === ref)?.oid;
    if (tip === undefined) throw this.#branchMissing();
    return tip;
  }

  /** The commit a tag or a branch of the remote points to, or null. */
  async remoteRef(name: string): Promise<string | null> {
    for (const ref of [`refs/tags/${name}`, `refs/heads/${name}`]) {
      const found = (await this.#serverRefs(ref)).find((each) => each.name === ref);
      if (found !== undefined) return found.peeled ?? found.oid;
    }
    return null;
  }

  /** An empty bare repository. */
  async init(gitFolder: string): Promise<void> {
    const git = await import("isomorphic-git");
    await git.init({ fs, dir: gitFolder, gitdir: gitFolder, bare: true, defaultBranch: "fleet" });
    // isomorphic-git insists on a refspec in the configuration; the address there is for people, and without credentials.
    await git.addRemote({ fs, dir: gitFolder, gitdir: gitFolder, remote: "origin", url: displayUrl(this.#url) });
  }

  /**
   * Brings what is missing into that repository and returns the tip. Without a depth only what is new arrives; with one on
   * a repository that already has a history, git sends more. On a rejection the packs and `shallow` are as before.
   */
  async transfer(gitFolder: string, depth: number | null): Promise<string> {
    const git = await import("isomorphic-git");
    const packFolder = join(gitFolder, "objects", "pack");
    const before = new Set(fs.existsSync(packFolder) ? fs.readdirSync(packFolder) : []);
    saveShallow(gitFolder);
    try {
      const { fetchHead } = await this.#asking(() =>
        git.fetch({
          fs,
          http: gitHttpClient({ timeoutMs: this.#limits.transferTimeoutMs, maxBytes: this.#limits.packBytesMax }),
          gitdir: gitFolder,
          url: this.#url,
          ref: ARRIVED_REF,
          remoteRef: `refs/heads/${this.#branch}`,
          singleBranch: true,
          tags: false,
          // Its cache would hold every pack in memory; a fetch reads a handful of objects.
          cache: {},
          ...(depth === null ? {} : { depth }),
        }),
      );
      if (fetchHead === null) throw this.#branchMissing();
      return fetchHead;
    } catch (error) {
      for (const name of fs.existsSync(packFolder) ? fs.readdirSync(packFolder) : []) {
        if (!before.has(name)) fs.rmSync(join(packFolder, name));
      }
      restoreShallow(gitFolder);
      throw error;
    }
  }

  async #serverRefs(prefix: string): Promise<readonly { name: string; oid: string; peeled?: string }[]> {
    const git = await import("isomorphic-git");
    const http = gitHttpClient({ timeoutMs: this.#limits.pollTimeoutMs, maxBytes: this.#limits.packBytesMax });
    const refs = await this.#asking(() =>
      git.listServerRefs({ http, url: this.#url, prefix, peelTags: true, protocolVersion: 2 }),
    );
    return refs
      .filter(({ oid }) => /^[0-9a-f]{40}$/.test(oid))
      .map(({ ref, oid, peeled }) => ({ name: ref, oid, ...(peeled === undefined ? {} : { peeled }) }));
  }

  async #asking<T>(ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (cause) {
      if (cause instanceof OperationError) throw cause;
      const name = (cause as Error).name;
      if (name === "NotFoundError") throw this.#branchMissing(cause);
      throw new OperationError(
        "source-answer-invalid",
        `${displayUrl(this.#url)} did not answer as a git server does`,
        {
          cause,
          next: "check that the address is that of a git repository",
        },
      );
    }
  }

  #branchMissing(cause?: unknown): OperationError {
    return new OperationError("branch-missing", `there is no branch ${this.#branch} at ${displayUrl(this.#url)}`, {
      cause,
      next: "push the branch, or set another one; what runs keeps running",
    });
  }
}

/**
 * `shallow` is written before the pack it speaks of has arrived. The copy is what holds until `settleShallow`, also when the
 * process is killed in between: claiming too little history is harmless, claiming too much leaves a gap for good.
 */
function saveShallow(gitFolder: string): void {
  const path = join(gitFolder, "shallow");
  fs.writeFileSync(`${path}.draft`, fs.existsSync(path) ? fs.readFileSync(path) : "");
  fs.renameSync(`${path}.draft`, `${path}.before`);
}

/** Puts `shallow` back as it was before a transfer that did not finish. */
export function restoreShallow(gitFolder: string): void {
  const path = join(gitFolder, "shallow");
  if (!fs.existsSync(`${path}.before`)) return;
  if (fs.statSync(`${path}.before`).size > 0) fs.renameSync(`${path}.before`, path);
  else {
    fs.rmSync(path, { force: true });
    fs.rmSync(`${path}.before`);
  }
}

/** The transfer is complete: what `shallow` says now is true. */
export function settleShallow(gitFolder: string): void {
  fs.rmSync(join(gitFolder, "shallow.before"), { force: true });
}
