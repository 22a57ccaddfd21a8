import { Args, Flags } from "@oclif/core";
import { unitOnMachine } from "../../domain/spec/unit-on-machine.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { BaseCommand, outputFlags, repositoryFlags } from "../base-command.ts";
import { validateFromFlags } from "../plan-from-flags.ts";
import { RejectedCommit } from "../report-error.ts";
import { printable } from "../views/printable.ts";

export default class CatCommand extends BaseCommand {
  static override summary = "Print a unit as the commit has it: its file and every drop-in";
  static override args = { unit: Args.string({ required: true, description: "A unit's name" }) };
  static override flags = {
    ...repositoryFlags,
    ...outputFlags,
    machine: Flags.string({ description: "As it is on this machine, with the machine's own drop-ins" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(CatCommand);
    const composition = await this.compose(flags);
    try {
      const { spec, diagnostics } = await validateFromFlags(composition, flags.revision, false);
      if (spec === null) throw new RejectedCommit(diagnostics);
      const name = args.unit.includes(".") ? args.unit : `${args.unit}.service`;
      const unit = spec.units.find((unit) => unit.name === name || unit.service === name);
      if (unit === undefined)
        throw new OperationError("unit-unknown", `there is no unit ${name} in this commit`, {
          next: "fleet validate lists what there is",
        });
      const { files, hash } = unitOnMachine(unit, flags.machine ?? null, spec, composition.sha256);
      if (flags.json) this.printJson({ unit: unit.name, hash, files });
      else
        this.print(
          files.map((file) => `# ${file.path}\n${file.text.split("\n").map(printable).join("\n")}`).join("\n"),
        );
    } finally {
      await composition.close();
    }
  }
}
