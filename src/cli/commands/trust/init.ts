import { mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Flags } from "@oclif/core";
import { addTrust, TRUST_STANZA } from "../../../codec/manifest/add-trust.ts";
import { readManifest } from "../../../codec/manifest/read-manifest.ts";
import { addSigner } from "../../../codec/signatures/add-signer.ts";
import { resolveFromManifest } from "../../../domain/spec/repository-files.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { BaseCommand, repositoryFlags } from "../../base-command.ts";
import { gitSigningKey } from "../../git-signing-key.ts";
import { writtenDiff } from "../../views/written-diff.ts";

const SIGNERS = "trust/allowed_signers";

/** A file to write, and what it held. */
interface Draft {
  /** From the repository's root. */
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
}

export default class TrustInitCommand extends BaseCommand {
  static override summary =
    "Let your own git signing key sign this cluster's commits: writes the signers and the manifest";
  static override description =
    "Adds a line with your key to the file of signers, and `trust:` to the manifest where it is not there, and shows both as a diff. Nothing is committed. Trust begins with the commit that says so, which must be signed itself.";
  static override examples = ["fleet trust init --key ~/.ssh/id_ed25519.pub"];
  static override flags = {
    directory: repositoryFlags.directory,
    manifest: repositoryFlags.manifest,
    key: Flags.string({ description: "A public key's file (default: the one git signs with here)" }),
    principal: Flags.string({ description: "Whom the line names (default: git's user.email)" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TrustInitCommand);
    const composition = await this.compose(flags);
    try {
      const { worktree } = await composition.repository();
      if (worktree === null) {
        throw new OperationError("no-worktree", "this is a bare repository: there is nothing to write into");
      }
      const { publicKey, principal, isAutomatic } = await gitSigningKey(worktree, flags);
      const drafts = await draft(worktree, composition.manifest, { publicKey, principal });
      const changed = drafts.filter(({ before, after }) => before !== after);
      for (const { path, after } of changed) {
        await mkdir(dirname(join(worktree, path)), { recursive: true });
        await writeFile(join(worktree, path), after);
      }
      for (const { path, before, after } of changed) this.print(writtenDiff(path, before, after));
      if (changed.length === 0) return this.print("your key may sign already; nothing was written");
      const paths = changed.map(({ path }) => path).join(" ");
      this.say(
        `next: git add ${paths} && git commit ${isAutomatic ? "" : "-S "}-m "Trust who signs", then fleet trust check`,
      );
    } finally {
      await composition.close();
    }
  }
}

async function draft(
  worktree: string,
  manifestPath: string,
  { publicKey, principal }: { readonly publicKey: string; readonly principal: string },
): Promise<readonly Draft[]> {
  const before = await textAt(join(worktree, manifestPath));
  if (before === null) {
    throw new OperationError("manifest-missing", `there is no ${manifestPath}`, { next: "fleet init writes one" });
  }
  const said = readManifest(manifestPath, before).manifest?.trust ?? null;
  const after = said === null ? addTrust(manifestPath, before) : before;
  if (after === null) {
    throw new OperationError("manifest-not-written", `${manifestPath} cannot be added to`, {
      next: `mend it, or write into it yourself: ${TRUST_STANZA.trim()}`,
    });
  }
  const named = said === null ? SIGNERS : (said.signers?.value ?? null);
  const path = named === null ? null : resolveFromManifest(manifestPath, named);
  if (path === null) {
    throw new OperationError("trust-without-signers", `${manifestPath} has trust: without a file of signers`, {
      next: `write into it: signers: ${SIGNERS}`,
    });
  }
  const signers = await textAt(join(worktree, path));
  const withKey = addSigner(signers ?? "", principal, publicKey);
  if (withKey === null) {
    throw new OperationError("key-unreadable", "that is no public key fleet verifies", {
      next: "ed25519, ecdsa, RSA of 2048 bits or more, or a security key's; give --key FILE.pub",
    });
  }
  return [
    { path: manifestPath, before, after },
    { path, before: signers, after: withKey },
  ];
}

async function textAt(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
