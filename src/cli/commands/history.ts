import { Flags } from "@oclif/core";
import { OperationError } from "../../ports/operation-error.ts";
import { CommitBook } from "../../usecases/commit-facts.ts";
import { commitHistory, releaseHistory } from "../../usecases/list-history.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import type { Composition } from "../composition.ts";
import { commitFromFlags } from "../plan-from-flags.ts";
import { registryIfAny } from "../registry-if-any.ts";
import { historyText } from "../views/history-text.ts";

const LAST = 10;
const LAST_MAX = 1_000;

export default class HistoryCommand extends BaseCommand {
  static override summary = "Show the last releases: what they changed, who wrote and applied them, and how they ended";
  static override description =
    "Without a registry: the last commits of the branch that change a unit, of which only git is asked; whether they were applied is then not known.";
  static override examples = ["fleet history -n 3"];
  static override flags = {
    ...repositoryFlags,
    ...clusterFlags,
    ...outputFlags,
    last: Flags.integer({ char: "n", description: "How many", default: LAST, min: 1, max: LAST_MAX }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(HistoryCommand);
    const composition = await this.compose(flags);
    const { last } = flags;
    try {
      const cluster = await registryIfAny(composition, flags.cluster, (line) => this.say(line));
      const book = await bookHere(composition, cluster === null);
      const entries =
        cluster === null
          ? await this.ofBranch(composition, book!, flags)
          : await releaseHistory({ ...cluster, book, last });
      if (flags.json) this.printJson(entries);
      else if (entries.length === 0) this.say("no release yet: fleet apply makes the first");
      else this.print(historyText(entries));
    } finally {
      await composition.close();
    }
  }

  private async ofBranch(
    composition: Composition,
    book: CommitBook,
    { revision, last }: { readonly revision: string; readonly last: number },
  ) {
    const tip = await commitFromFlags(composition, revision);
    const compile = await composition.compiler(await composition.repository());
    this.say("commits of the branch that change a unit; no registry was asked which of them were applied");
    return commitHistory({ tip, compile, book, last, sha256: composition.sha256 });
  }
}

/** Whoever asks the registry need not stand in a repository. */
async function bookHere(composition: Composition, isNeeded: boolean): Promise<CommitBook | null> {
  try {
    return new CommitBook(await composition.repository(), composition.manifest);
  } catch (error) {
    if (isNeeded || !(error instanceof OperationError)) throw error;
    return null;
  }
}
