import { Flags } from "@oclif/core";
import { BaseCommand, outputFlags, repositoryFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { validateFromFlags } from "../plan-from-flags.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";

export default class ValidateCommand extends BaseCommand {
  static override summary = "Check a commit's manifest and unit files; needs no cluster";
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    worktree: Flags.boolean({ description: "Check the working tree instead of the commit" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ValidateCommand);
    const composition = await this.compose(flags);
    try {
      const { commit, spec, diagnostics, valid } = await validateFromFlags(composition, flags.revision, flags.worktree);
      if (flags.json) this.printJson({ valid, commit, diagnostics });
      else {
        if (diagnostics.length > 0) this.say(diagnosticsText(diagnostics));
        if (valid)
          this.print(
            `${spec?.cluster}: ${spec?.units.length} units in ${spec?.groups.length} groups are valid at ${commit.slice(0, 7)}`,
          );
      }
      if (!valid) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}
