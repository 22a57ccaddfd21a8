import { OperationError } from "../../ports/operation-error.ts";
import { BaseCommand } from "../base-command.ts";

/** Here to be found by whoever looks for it: docs/decisions/0022 says why there is none. */
export default class ExecCommand extends BaseCommand {
  static override summary = "Not there: commands run on machines by ssh, or as units of a commit";
  static override hidden = true;
  static override strict = false;

  async run(): Promise<void> {
    throw new OperationError(
      "no-exec",
      "fleet runs no commands through engines: it would make one machine's key root on another, past git and past reviews",
      { next: "fleet ssh MACHINE -- COMMAND; or commit a oneshot unit, so that what runs is what somebody reviewed" },
    );
  }
}
