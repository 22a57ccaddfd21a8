import { Args } from "@oclif/core";
import { scaleTemplates } from "../../domain/edit/edit-units.ts";
import type { UnitName } from "../../domain/names.ts";
import { checkUnitName } from "../../domain/unit/unit-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { EditingCommand, editingFlags } from "../editing-command.ts";

export default class ScaleCommand extends EditingCommand {
  static override summary = "Say how many instances templates have";
  static override description =
    "The manifest says instances: N, which are 1 to N; scaling down takes the highest. Shows the diff and the plan; a cluster changes by a commit alone.";
  static override examples = ["fleet scale web@.service=5 --commit"];
  static override strict = false;
  static override args = {
    templates: Args.string({ required: true, description: "web@.service=5, or web=5; several may follow" }),
  };
  static override flags = editingFlags;

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(ScaleCommand);
    const counts = new Map(argv.map((word) => countOf(String(word))));
    const subject = `Scale ${[...counts].map(([template, count]) => `${template} to ${count}`).join(", ")}`;
    await this.change(flags, subject, (repository) => scaleTemplates(repository, counts));
  }
}

function countOf(word: string): readonly [UnitName, number] {
  const [, named, count] = /^(.+)=(0|[1-9][0-9]{0,5})$/.exec(word) ?? [];
  if (named === undefined) {
    throw new OperationError("scale-word", `${JSON.stringify(word)} says no number`, {
      next: "fleet scale web@.service=5",
    });
  }
  const full = named.includes(".") ? named : `${named.replace(/@$/, "")}@.service`;
  const checked = checkUnitName(full);
  if ("name" in checked) return [checked.name, Number(count)];
  throw new OperationError("unit-name", checked.problem, { next: "fleet scale web@.service=5" });
}
