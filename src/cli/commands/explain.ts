import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Args } from "@oclif/core";
import { closestName } from "../../domain/unit/closest-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { BaseCommand, outputFlags } from "../base-command.ts";
import { explainedCodes, explainedText } from "../views/explained-codes.ts";
import { table } from "../views/table.ts";

/** Beside the bundle, where the build puts it. */
const PAGE = fileURLToPath(new URL("../diagnostics.md", import.meta.url));

export default class ExplainCommand extends BaseCommand {
  static override summary = "Explain a code: of a diagnostic, a reason, or a finding of fleet doctor";
  static override description = "As docs/diagnostics.md has it. Without a code: all there are.";
  static override examples = ["fleet explain manifest-unknown-key", "fleet explain"];
  static override args = {
    code: Args.string({ description: "What stands in brackets behind a message: manifest-value" }),
  };
  static override flags = { json: outputFlags.json };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ExplainCommand);
    const all = explainedCodes(readFileSync(PAGE, "utf8"));
    const asked = args.code?.replace(/^\[(.*)\]$/, "$1");
    const found = asked === undefined ? all : all.filter(({ code }) => code === asked);
    if (found.length === 0) {
      const meant = closestName(
        asked!,
        all.map(({ code }) => code),
      );
      throw new OperationError("code-unknown", `there is no code ${asked} on the page of diagnostics`, {
        next: meant === null ? "fleet explain lists them" : `did you mean ${meant}?`,
      });
    }
    if (flags.json) {
      return this.printJson(
        found.map(({ code, section, columns }) => ({
          code,
          section,
          ...Object.fromEntries(columns.map(([title, text]) => [title.toLowerCase().replaceAll(" ", "_"), text])),
        })),
      );
    }
    if (asked !== undefined) return this.print(explainedText(found));
    this.print(
      table(
        ["code", "about"],
        found.map(({ code, section }) => [code, section]),
      ),
    );
  }
}
