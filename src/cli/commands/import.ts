import { Args, Flags } from "@oclif/core";
import { importUnits } from "../../domain/edit/edit-units.ts";
import { FOREIGN_FOLDER } from "../../domain/tasks/foreign-files.ts";
import { compileGlob } from "../../domain/unit/glob.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { EditingCommand, editingFlags } from "../editing-command.ts";
import { foundUnits } from "../found-units.ts";

export default class ImportCommand extends EditingCommand {
  static override summary = "Bring units that run already into the repository";
  static override description =
    "From a folder of unit files, this machine's own by default, or from what CoreOS fleet's API gave (curl …/fleet/v1/units). Drop-ins come along; links do not. What runs here is launched, the rest loaded. With adopt: true, which --adopt writes, machines take over what they run without a restart.";
  static override examples = ["fleet import /etc/systemd/system --only 'app-*' --commit", "fleet import units.json"];
  static override args = {
    from: Args.string({ default: FOREIGN_FOLDER, description: "A folder of unit files, or a dump of fleet's units" }),
  };
  static override flags = {
    ...editingFlags,
    only: Flags.string({ description: "Units of this name or pattern alone (repeatable)", multiple: true }),
    adopt: Flags.boolean({ description: "Write adopt: true into defaults: what runs is taken over as it is" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(ImportCommand);
    const all = await foundUnits(args.from);
    const matchers = flags.only?.map((pattern) => compileGlob(pattern) ?? ((name: string) => name === pattern));
    const found = matchers === undefined ? all : all.filter(({ name }) => matchers.some((matches) => matches(name)));
    if (found.length === 0) {
      throw new OperationError("nothing-found", `${args.from} has no such units`, {
        next: all.length === 0 ? "name a folder of unit files" : `it has ${all[0]!.name}, and ${all.length - 1} others`,
      });
    }
    const subject = `Import ${found.length === 1 ? found[0]!.name : `${found.length} units`} from ${args.from}`;
    await this.change(flags, subject, (repository) => importUnits(repository, found, { adopt: flags.adopt }));
  }
}
