import { Flags } from "@oclif/core";
import { OperationError } from "../../ports/operation-error.ts";
import { formatFiles } from "../../usecases/format-files.ts";
import { BaseCommand, repositoryFlags } from "../base-command.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { counted } from "../views/counted.ts";
import { printable } from "../views/printable.ts";
import { writeFiles } from "../write-files.ts";

export default class FmtCommand extends BaseCommand {
  static override summary = "Put unit files and drop-ins in order";
  static override description =
    "One blank line before a section, none twice, key=value, nothing at the ends of lines. systemd reads the same from them, so no plan changes anything that runs. The manifest is its author's.";
  static override examples = ["fleet fmt", "fleet fmt --check"];
  static override flags = {
    directory: repositoryFlags.directory,
    manifest: repositoryFlags.manifest,
    check: Flags.boolean({
      description: "Write nothing; list what is not in order, and end with 1 where there is something",
    }),
  };

  async run(): Promise<void> {
    const { flags } = await this.parse(FmtCommand);
    const composition = await this.compose(flags);
    try {
      const source = await composition.repository();
      if (source.worktree === null) {
        throw new OperationError("no-worktree", "this is a bare repository: there is nothing to write into");
      }
      const edits = await formatFiles(source.openWorktree(), composition.manifest);
      if (!flags.check) await writeFiles(source.worktree, edits);
      for (const { path } of edits) this.print(printable(path));
      if (edits.length === 0) return;
      this.say(`${counted(edits.length, "file")} ${flags.check ? "not in order; next: fleet fmt" : "put in order"}`);
      if (flags.check) throw new SilentExit(EXIT.error);
    } finally {
      await composition.close();
    }
  }
}
