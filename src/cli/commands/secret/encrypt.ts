import { resolve } from "node:path";
import { Args } from "@oclif/core";
import { SECRET_BYTES_MAX } from "../../../domain/secret/secret-header.ts";
import { secretNamed } from "../../../usecases/secrets-of-commit.ts";
import { BaseCommand, repositoryFlags } from "../../base-command.ts";
import { bytesOf, readAtMost } from "../../read-at-most.ts";
import { secretsOfWorktree, writeSecret } from "../../secrets-from-flags.ts";
import { secretWritten, withoutKeyText } from "../../views/secrets-text.ts";

export default class SecretEncryptCommand extends BaseCommand {
  static override summary = "Write a secret for the machines that may run the units that use it; needs no cluster";
  static override description =
    "Reads the value and writes secrets/NAME.age beside the unit that names /run/fleet/secrets/%n/NAME, encrypted to the keys that the manifest lists of every machine those units may come to, also after a loss, and to the people of secrets: { recipients: [age1…] }. The value is taken byte for byte: printf %s, where no line end belongs to it. Nothing is committed.";
  static override examples = ["fleet secret encrypt db-password ./password"];
  static override args = {
    // oclif would take what is piped in for an argument that is missing, and an error would print it.
    name: Args.string({ description: "The secret's name", required: true, ignoreStdin: true }),
    file: Args.string({
      description: "The file with its value, - for standard input",
      default: "-",
      ignoreStdin: true,
    }),
  };
  static override flags = { directory: repositoryFlags.directory, manifest: repositoryFlags.manifest };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(SecretEncryptCommand);
    const composition = await this.compose(flags);
    try {
      const secrets = await secretsOfWorktree(composition);
      const secret = secretNamed(args.name, secrets);
      const { encryptSecret, newSecretVersion } = await import("../../../adapters/secrets/age-files.ts");
      if (args.file === "-" && process.stdin.isTTY) this.say("type the value, then Ctrl-D twice:");
      const path = resolve(flags.directory, args.file);
      const value = await (args.file === "-"
        ? bytesOf(process.stdin, SECRET_BYTES_MAX)
        : readAtMost(path, SECRET_BYTES_MAX));
      const machines = secret.machines.flatMap(({ key }) => key ?? []);
      const text = await encryptSecret(value, { machines, people: secrets.people }, newSecretVersion());
      await writeSecret(secrets.worktree, secret.path, text);
      this.print(secretWritten(secret, secrets.people.length));
      const without = withoutKeyText(secret);
      if (without !== null) this.say(without);
      if (value.at(-1) === NEWLINE) this.say("its value ends with a line end, which is part of it");
      this.say(`next: git add ${secret.path} && git commit, and fleet plan`);
    } finally {
      await composition.close();
    }
  }
}

const NEWLINE = 10;
