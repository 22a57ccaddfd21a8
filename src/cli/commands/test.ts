import { Flags } from "@oclif/core";
import { testCommit } from "../../usecases/test-commit.ts";
import { BaseCommand, outputFlags, repositoryFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { commitFromFlags } from "../plan-from-flags.ts";
import { RejectedCommit } from "../report-error.ts";
import { sayDirty } from "../say-dirty.ts";
import { allAsExpected, testsText } from "../views/tests-text.ts";

export default class TestCommand extends BaseCommand {
  static override summary = "Check a commit against the expectations in tests/*.yaml; needs no cluster";
  static override examples = ["fleet test"];
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    worktree: Flags.boolean({ description: "Test the working tree instead of the commit" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(TestCommand);
    const composition = await this.compose(flags);
    try {
      if (!flags.worktree)
        await sayDirty(
          composition,
          flags.revision,
          (line) => this.say(line),
          "this is about HEAD (--worktree tests them)",
        );
      const repository = await composition.repository();
      const commit = await commitFromFlags(composition, flags.revision);
      const source = flags.worktree ? repository.openWorktree() : repository;
      const compile = await composition.compiler(source);
      const { sha256 } = composition;
      const tested = await testCommit({ commit, source, manifestPath: flags.manifest, compile, sha256 });
      if (tested.kind === "rejected") throw new RejectedCommit(tested.diagnostics);
      const passed = allAsExpected(tested.files);
      if (flags.json) this.printJson({ passed, commit, files: tested.files });
      else this.print(testsText(tested.files));
      if (!passed) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}
