import { spawnSync } from "node:child_process";
import { type SshSigner, withSignature } from "../ssh-signer.ts";

/** A tree as git's own commands would not make it: mode, name and id of each entry, in that order. */
export type RawEntries = readonly (readonly [mode: string, name: string, id: string])[];

/** A branch of a repository as anybody who can push moves it: commits of any tree, parent and signature, without a working tree. */
export class SignedBranch {
  readonly #repository: string;
  readonly #branch: string;

  constructor(repository: string, branch: string) {
    this.#repository = repository;
    this.#branch = branch;
  }

  get tip(): string {
    return this.git(["rev-parse", this.#branch]);
  }

  /** Moves it there, forward or not; null deletes it. */
  set(commit: string | null): void {
    const ref = `refs/heads/${this.#branch}`;
    this.git(commit === null ? ["update-ref", "-d", ref] : ["update-ref", ref, commit]);
  }

  /** The tree of a commit with those files (null: without), and nothing of it in any working tree. */
  treeWith(commit: string, files: Readonly<Record<string, string | null>>): string {
    const environment = { GIT_INDEX_FILE: `${this.#repository}/.git/raw-index` };
    this.git(["read-tree", commit], "", environment);
    for (const [path, text] of Object.entries(files)) {
      if (text === null) this.git(["rm", "-q", "--cached", "--", path], "", environment);
      else this.git(["update-index", "--add", "--cacheinfo", `100644,${this.blob(text)},${path}`], "", environment);
    }
    return this.git(["write-tree"], "", environment);
  }

  blob(text: string): string {
    return this.git(["hash-object", "-w", "--stdin"], text);
  }

  rawTree(entries: RawEntries): string {
    const bytes = entries.flatMap(([mode, name, id]) => [Buffer.from(`${mode} ${name}\0`), Buffer.from(id, "hex")]);
    return this.git(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], Buffer.concat(bytes));
  }

  /** A commit of that tree on top of that one, signed by somebody or by nobody. */
  commit(tree: string, parent: string, subject: string, signer: SshSigner | null): string {
    const raw = `tree ${tree}\nparent ${parent}\nauthor ann <ann@localhost> ${now()} +0000\ncommitter ann <ann@localhost> ${now()} +0000\n\n${subject}\n`;
    const signed = signer === null ? raw : withSignature(raw, signer.sign(Buffer.from(raw)));
    return this.git(["hash-object", "-w", "-t", "commit", "--stdin"], signed);
  }

  /** Those files on top of its tip, by somebody; the commit. */
  push(subject: string, files: Readonly<Record<string, string | null>>, signer: SshSigner | null): string {
    const commit = this.commit(this.treeWith(this.tip, files), this.tip, subject, signer);
    this.set(commit);
    return commit;
  }

  git(
    words: readonly string[],
    input: string | Buffer = "",
    environment: Readonly<Record<string, string>> = {},
  ): string {
    const options = { input, env: { ...process.env, ...environment } };
    const { status, stdout, stderr } = spawnSync("git", ["-C", this.#repository, ...words], options);
    if (status !== 0) throw new Error(`git ${words.join(" ")}: ${stderr}`);
    return String(stdout).trim();
  }
}

function now(): number {
  return Math.floor(Date.now() / 1_000);
}
