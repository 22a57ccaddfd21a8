import { OperationError } from "../../../ports/operation-error.ts";
import { BaseCommand } from "../../base-command.ts";
import { labClusterDown } from "../../lab-cluster.ts";
import { labFlags } from "../../lab-flags.ts";

export default class LabDownCommand extends BaseCommand {
  static override summary = "Take the lab down and prove that nothing is left of it";
  static override examples = ["fleet lab down"];
  static override flags = labFlags;

  async run(): Promise<void> {
    const { flags } = await this.parse(LabDownCommand);
    const leftovers = await labClusterDown(flags.name);
    if (leftovers.length > 0) {
      throw new OperationError("lab-leftovers", `of the lab ${flags.name} is left: ${leftovers.join("; ")}`, {
        next: "fleet lab down, once more",
      });
    }
    this.print(`the lab ${flags.name} is down; nothing is left: no process, mount, link, network namespace or cgroup`);
  }
}
