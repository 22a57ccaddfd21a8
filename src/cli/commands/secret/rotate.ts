import { join, resolve } from "node:path";
import { Args, Flags } from "@oclif/core";
import type { SecretIdentity } from "../../../adapters/secrets/age-files.ts";
import { readSecretHeader, SECRET_FILE_MAX } from "../../../domain/secret/secret-header.ts";
import type { SecretReach } from "../../../domain/secret/secret-reach.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { isUpToDate, secretNamed } from "../../../usecases/secrets-of-commit.ts";
import { BaseCommand, repositoryFlags } from "../../base-command.ts";
import { daemonFlags } from "../../daemon-flags.ts";
import { readAtMost } from "../../read-at-most.ts";
import { secretsOfWorktree, writeSecret } from "../../secrets-from-flags.ts";
import { secretWritten, withoutKeyText } from "../../views/secrets-text.ts";

export default class SecretRotateCommand extends BaseCommand {
  static override summary = "Encrypt secrets anew, to the machines that may need them today";
  static override description =
    "After a machine joined, left or got another key, or units may run elsewhere. Values stay as they are and nothing restarts for it. Reads each file with --identity, or with the key of the machine this runs on. Without names: those that are not encrypted to exactly whom they should be. Whoever could read an older file still has it in git: for them the value itself must change (fleet secret encrypt).";
  static override examples = ["fleet secret rotate db-password"];
  static override strict = false;
  static override args = { name: Args.string({ description: "Secrets; several may be given", ignoreStdin: true }) };
  static override flags = {
    directory: repositoryFlags.directory,
    manifest: repositoryFlags.manifest,
    identity: Flags.string({
      description: "A file with an identity of age (AGE-SECRET-KEY-1…)",
      env: "FLEET_IDENTITY",
    }),
    "state-directory": daemonFlags["state-directory"],
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(SecretRotateCommand);
    const composition = await this.compose(flags);
    try {
      const secrets = await secretsOfWorktree(composition);
      const { people, worktree } = secrets;
      const names = argv.map(String);
      const chosen =
        names.length > 0
          ? names.map((name) => secretNamed(name, secrets))
          : secrets.secrets.filter((secret) => !isUpToDate(secret, people));
      if (chosen.length === 0) return this.print("every secret is encrypted to exactly whom it should be");
      const identities = await identitiesFrom(flags.identity, flags.directory, flags["state-directory"]);
      const { decryptSecret, encryptSecret, newSecretVersion } = await import("../../../adapters/secrets/age-files.ts");
      // All of them are read before any is written.
      const renewed: { readonly secret: SecretReach; readonly text: string }[] = [];
      for (const secret of chosen) {
        const before = (await readAtMost(join(worktree, secret.path), SECRET_FILE_MAX)).toString("utf8");
        const value = await decryptSecret(before, identities).catch((error: unknown) => {
          throw unreadable(secret, error);
        });
        const machines = secret.machines.flatMap(({ key }) => key ?? []);
        const header = readSecretHeader(before);
        const version = ("header" in header ? header.header.version : null) ?? newSecretVersion();
        renewed.push({ secret, text: await encryptSecret(value, { machines, people }, version) });
      }
      for (const { secret, text } of renewed) {
        await writeSecret(worktree, secret.path, text);
        this.print(secretWritten(secret, people.length));
        const without = withoutKeyText(secret);
        if (without !== null) this.say(without);
      }
      if (renewed.some(({ secret }) => secret.strangers.length > 0)) this.say(LEFT_OUT);
      this.say(`next: git add ${renewed.map(({ secret }) => secret.path).join(" ")} && git commit`);
    } finally {
      await composition.close();
    }
  }
}

/** Of one person: a few lines of 75 characters, 2,000 for one that is safe from quantum computers. */
const IDENTITIES_BYTES_MAX = 64 * 1024;

const LEFT_OUT = "who was left out has read it before: change its value too, fleet secret encrypt NAME";

function unreadable({ name }: SecretReach, error: unknown): unknown {
  if (!(error instanceof OperationError) || error.code !== "secret-unreadable") return error;
  return new OperationError("secret-unreadable", `cannot read the secret ${name}: ${error.message}`, {
    next: "give --identity FILE of somebody it is encrypted to, or run this on a machine that reads it",
  });
}

async function identitiesFrom(
  file: string | undefined,
  directory: string,
  stateDirectory: string,
): Promise<readonly SecretIdentity[]> {
  if (file === undefined) {
    const { readIdentity } = await import("../../../adapters/identity/ensure-identity.ts");
    const own = await readIdentity(join(stateDirectory, "identity"));
    if (own !== null) return [{ machine: own.privateKey, key: own.key }];
    throw new OperationError("no-identity", "there is no key here to read secrets with", {
      next: "give --identity FILE, an identity that age-keygen made, or run this on a machine that reads them",
    });
  }
  const path = resolve(directory, file);
  const text = (await readAtMost(path, IDENTITIES_BYTES_MAX)).toString("utf8");
  const lines = text.split("\n").map((line) => line.trim());
  const found = lines.filter((line) => line !== "" && !line.startsWith("#")).map((person) => ({ person }));
  if (found.length > 0) return found;
  throw new OperationError("no-identity", `${path} holds no identity of age`, {
    next: "it holds lines AGE-SECRET-KEY-1…, as age-keygen writes them",
  });
}
