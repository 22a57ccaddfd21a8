import { Flags } from "@oclif/core";
import { BaseCommand, outputFlags, repositoryFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { validateFromFlags } from "../plan-from-flags.ts";
import { reportError } from "../report-error.ts";
import { sayDirty } from "../say-dirty.ts";
import { diagnosticsText } from "../views/diagnostics-text.ts";
import { validationJson } from "../views/validation-json.ts";
import { validText } from "../views/validation-text.ts";

export default class ValidateCommand extends BaseCommand {
  static override summary = "Check a commit's manifest and unit files; needs no cluster";
  static override examples = ["fleet validate"];
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    worktree: Flags.boolean({ description: "Check the working tree instead of the commit" }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(ValidateCommand);
    const composition = await this.compose(flags);
    try {
      if (!flags.worktree)
        await sayDirty(
          composition,
          flags.revision,
          (line) => this.say(line),
          "this is about HEAD (--worktree checks them)",
        );
      const { commit, spec, diagnostics, valid } = await validateFromFlags(composition, flags.revision, flags.worktree);
      if (flags.json) this.printJson(validationJson({ valid, commit, spec, diagnostics }));
      else {
        if (diagnostics.length > 0) this.say(diagnosticsText(diagnostics));
        if (spec !== null) this.print(validText(spec, commit, diagnostics));
      }
      if (!valid) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }

  /** A wrong flag is another code than a finding: a hook that checks commits must tell them apart. */
  protected override async catch(error: Error): Promise<void> {
    if (!("oclif" in error)) throw error;
    reportError(error);
    throw new SilentExit(EXIT.usage);
  }
}
