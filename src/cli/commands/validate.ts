import { Flags } from "@oclif/core";
import { BaseCommand, outputFlags, repositoryFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { validateFromFlags } from "../plan-from-flags.ts";
import { diagnosticCounts, diagnosticsText } from "../views/diagnostics-text.ts";
import { validationJson } from "../views/validation-json.ts";

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
      if (flags.json) this.printJson(validationJson({ valid, commit, spec, diagnostics }));
      else {
        if (diagnostics.length > 0) this.say(diagnosticsText(diagnostics));
        if (spec !== null) {
          const { cluster, units, groups } = spec;
          const counts = diagnosticCounts(diagnostics);
          this.print(
            `${cluster}: ${units.length} units in ${groups.length} groups are valid at ${commit.slice(0, 7)}${counts === "" ? "" : `; ${counts}`}`,
          );
        }
      }
      if (!valid) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}
