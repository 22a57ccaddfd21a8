import { Flags } from "@oclif/core";
import type { CommitId } from "../../../domain/names.ts";
import { reachesAll, secretsJson } from "../../../usecases/secrets-of-commit.ts";
import { BaseCommand, outputFlags, repositoryFlags } from "../../base-command.ts";
import { EXIT, SilentExit } from "../../exit-codes.ts";
import { commitFromFlags } from "../../plan-from-flags.ts";
import { sayDirty } from "../../say-dirty.ts";
import { readSecrets } from "../../secrets-from-flags.ts";
import { secretsText } from "../../views/secrets-text.ts";

export default class SecretCheckCommand extends BaseCommand {
  static override summary = "Say which machines can read which secrets, and which of those that may need one cannot";
  static override description =
    "By what the headers of the files state and the keys that the manifest lists: needs no cluster, no key, and reads no value. With --json each machine's key also stands as age takes it. Ends with 1 where a machine that a unit may come to cannot read its secret.";
  static override examples = ["fleet secret check"];
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    worktree: Flags.boolean({ description: "Look at the working tree instead of the commit" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(SecretCheckCommand);
    const composition = await this.compose(flags);
    try {
      const repository = await composition.repository();
      const next = "this is about HEAD (--worktree looks at them)";
      if (!flags.worktree) await sayDirty(composition, flags.revision, (line) => this.say(line), next);
      const { secrets, people } = flags.worktree
        ? await readSecrets(composition, repository.openWorktree(), "" as CommitId)
        : await readSecrets(composition, repository, await commitFromFlags(composition, flags.revision));
      if (flags.json) this.printJson({ secrets: secretsJson(secrets, people), people });
      else this.print(secretsText(secrets));
      if (!secrets.every(reachesAll)) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}
