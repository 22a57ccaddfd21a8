import { Args, Flags } from "@oclif/core";
import { deliveredBytes } from "../../domain/spec/delivered-file.ts";
import { filesOnMachine, unitOnMachine } from "../../domain/spec/unit-on-machine.ts";
import type { InstalledFile } from "../../domain/tasks/task.ts";
import { closestName } from "../../domain/unit/closest-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { BaseCommand, outputFlags, repositoryFlags } from "../base-command.ts";
import { validateFromFlags } from "../plan-from-flags.ts";
import { RejectedCommit } from "../report-error.ts";
import { printable } from "../views/printable.ts";

export default class CatCommand extends BaseCommand {
  static override summary = "Print a unit as the commit has it: its file and every drop-in";
  static override examples = ["fleet cat web.service", "fleet cat web@1 --source"];
  static override args = { unit: Args.string({ required: true, description: "A unit's name" }) };
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    source: Flags.boolean({ description: "Name the files as the repository has them, with the path of each" }),
    machine: Flags.string({ description: "As it is on this machine, with the machine's own drop-ins" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CatCommand);
    const composition = await this.compose({ ...flags, source: undefined });
    try {
      const { spec, diagnostics } = await validateFromFlags(composition, flags.revision, false);
      if (spec === null) throw new RejectedCommit(diagnostics);
      const name = args.unit.includes(".") ? args.unit : `${args.unit}.service`;
      const unit = spec.units.find((unit) => unit.name === name || unit.service === name);
      if (unit === undefined)
        throw unknownUnit(
          name,
          spec.units.map((unit) => unit.name),
        );
      const installed = unitOnMachine(unit, flags.machine ?? null, spec, composition.sha256);
      const { hash } = installed;
      const files = flags.source
        ? filesOnMachine(unit, flags.machine ?? null, spec).map(({ source, ...file }) => ({ ...file, path: source }))
        : installed.files;
      if (flags.json) this.printJson({ unit: unit.name, hash, files });
      else
        this.print(
          files.map((file) => `# ${file.path}\n${textOf(file).split("\n").map(printable).join("\n")}`).join("\n"),
        );
    } finally {
      await composition.close();
    }
  }
}

/** As it is, but for bytes that are no text. */
function textOf({ text, delivery }: InstalledFile): string {
  if (delivery?.encoding === undefined) return text;
  const what = delivery.encoding === "age" ? "encrypted" : "that are no text";
  return `(${deliveredBytes({ text, encoding: delivery.encoding })} bytes ${what})\n`;
}

function unknownUnit(name: string, known: readonly string[]): OperationError {
  const meant = closestName(name, known);
  return new OperationError("unit-unknown", `there is no unit ${name} in this commit`, {
    next: meant === null ? "fleet validate lists what there is" : `did you mean ${meant}?`,
  });
}
