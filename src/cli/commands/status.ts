import { Args, Flags } from "@oclif/core";
import { OperationError } from "../../ports/operation-error.ts";
import { readClusterView, readListView } from "../cluster-view.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { LookingCommand, lookingFlags } from "../looking-command.ts";
import { statusJson } from "../views/status-json.ts";
import { clusterStatusText, unitStatusText } from "../views/status-text.ts";
import { unitRows } from "../views/unit-rows.ts";

export default class StatusCommand extends LookingCommand {
  static override summary = "Say how the cluster is, or how some of its units are";
  static override args = { units: Args.string({ description: "Units to look at closely; several may follow" }) };
  static override strict = false;
  static override flags = {
    ...lookingFlags,
    "on-this-machine": Flags.boolean({
      description:
        "Ask this machine's own agent what it follows, where it follows git alone; needs root, and no registry",
    }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(StatusCommand);
    if (flags["on-this-machine"]) return this.#ofThisMachine(flags.json);
    const view = await this.look(flags, flags.json ? readClusterView : readListView).catch((error: unknown) => {
      throw error instanceof OperationError && error.code === "no-registry" ? withStandaloneHint(error) : error;
    });
    const rows = unitRows(view);
    const nowMs = Date.now();
    if (argv.length === 0) {
      if (flags.json) return this.printJson(statusJson(view, rows, nowMs));
      return this.print(clusterStatusText(view, rows, nowMs));
    }
    const wanted = argv.map((unit) => (String(unit).includes(".") ? String(unit) : `${unit}.service`));
    const found = rows.filter((row) => wanted.includes(row.unit));
    const unknown = wanted.filter((unit) => !found.some((row) => row.unit === unit));
    if (flags.json) this.printJson(found);
    else this.print(found.map((row) => unitStatusText(row, nowMs)).join("\n\n"));
    for (const unit of unknown) this.say(`there is no unit ${unit} in the release`);
    if (unknown.length > 0) throw new SilentExit(EXIT.error);
  }

  async #ofThisMachine(json: boolean): Promise<void> {
    const [{ askStandalone }, { standaloneText }] = await Promise.all([
      import("../ask-standalone.ts"),
      import("../views/standalone-text.ts"),
    ]);
    const { name, state, holds } = await askStandalone();
    if (json) return this.printJson({ machine: name, ...state, holds });
    this.print(standaloneText(name, state, Date.now()));
    if (holds.length > 0) this.say(`held here: ${holds.length} (fleet hold --on-this-machine lists it)`);
  }
}

function withStandaloneHint(error: OperationError): OperationError {
  const next = `${error.next}; on a machine that follows git alone: sudo fleet status --on-this-machine`;
  return new OperationError(error.code, error.message, { cause: error, next });
}
