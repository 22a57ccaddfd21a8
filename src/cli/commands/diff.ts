import { Args } from "@oclif/core";
import { diffCommits } from "../../usecases/diff-commits.ts";
import { BaseCommand, clusterFlags, outputFlags, repositoryFlags } from "../base-command.ts";
import { commitOfWord } from "../commit-of-word.ts";
import { RejectedCommit } from "../report-error.ts";
import { terminalOf } from "../terminal-of.ts";
import { commitDiffJson, commitDiffText } from "../views/commit-diff-text.ts";
import { diffText } from "../views/diff-text.ts";

const { revision: _head, ...standingFlags } = repositoryFlags;

export default class DiffCommand extends BaseCommand {
  static override summary = "Say what two commits differ in, in units and what the change does to them";
  static override description =
    "Effects are those of a plan: what a unit that runs as in the first commit is put through to run as in the second. No cluster is asked, unless a release is named.";
  static override examples = ["fleet diff HEAD~1", "fleet diff @1 HEAD"];
  static override args = {
    before: Args.string({ required: true, description: "A revision, or @3 for the commit of release 3" }),
    after: Args.string({ default: "HEAD", description: "The same; HEAD by default" }),
  };
  static override flags = { ...standingFlags, ...clusterFlags, ...outputFlags };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(DiffCommand);
    const composition = await this.compose(flags);
    try {
      const before = await commitOfWord(composition, args.before, flags.cluster);
      const after = await commitOfWord(composition, args.after, flags.cluster);
      const compile = await composition.compiler(await composition.repository());
      const compared = await diffCommits({ before, after, compile, sha256: composition.sha256 });
      if (compared.kind === "rejected") {
        this.say(`commit ${compared.commit.slice(0, 12)} has errors, and so no units to compare`);
        throw new RejectedCommit(compared.diagnostics);
      }
      if (flags.json) return this.printJson(commitDiffJson(compared));
      this.print(commitDiffText(compared, terminalOf(process.stdout, flags["no-color"])));
      if (compared.texts.length > 0) this.print(`\n${diffText(compared.texts)}`);
    } finally {
      await composition.close();
    }
  }
}
