import { Args, Flags } from "@oclif/core";
import { OperationError } from "../../ports/operation-error.ts";
import { chooseUnits } from "../choose-units.ts";
import { type ClusterView, readClusterView, readListView } from "../cluster-view.ts";
import { EXIT, SilentExit } from "../exit-codes.ts";
import { lastLines } from "../last-lines.ts";
import { LookingCommand, lookingFlags, type WatchFlags, watchFlag } from "../looking-command.ts";
import { wrapText } from "../views/fit-width.ts";
import { printable } from "../views/printable.ts";
import { statusJson } from "../views/status-json.ts";
import { clusterStatusText, unitStatusText } from "../views/status-text.ts";
import { type UnitRow, unitRows } from "../views/unit-rows.ts";
import { unitSummary } from "../views/unit-summary.ts";
import { unknownText } from "../views/why-verdict-text.ts";

/** Of more units nobody reads journals one below the other. */
const LOGGED_UNITS_MAX = 20;

export default class StatusCommand extends LookingCommand {
  static override summary = "Say how the cluster is, or how some of its units are";
  static override args = {
    units: Args.string({ description: "Units to look at closely: names, templates or patterns; several may follow" }),
  };
  static override strict = false;
  static override examples = ["fleet status", "fleet status web@.service db"];
  static override flags = {
    ...lookingFlags,
    ...watchFlag,
    lines: Flags.integer({
      char: "n",
      description: "Of each unit so many last lines of its journal, where that is on this machine",
      default: 10,
      min: 0,
      max: 1_000,
    }),
    "on-this-machine": Flags.boolean({
      description:
        "Ask this machine's own agent what it follows, where it follows git alone; needs root, and no registry",
    }),
  };

  async run(): Promise<void> {
    const { flags, argv } = await this.parse(StatusCommand);
    if (flags["on-this-machine"]) return this.#ofThisMachine(flags.json);
    if (flags.watch) return this.#watch(flags, argv.map(String));
    const view = await this.viewOrLastSeen(flags).catch((error: unknown) => {
      throw error instanceof OperationError && error.code === "no-registry" ? withStandaloneHint(error) : error;
    });
    const rows = unitRows(view);
    const nowMs = Date.now();
    if (argv.length === 0) {
      if (flags.json) return this.printJson(statusJson(view, rows, nowMs));
      return this.print(clusterStatusText(view, rows, nowMs, this.columns()));
    }
    const words = argv.map(String);
    const { rows: found, unknown } = chooseUnits(words, rows);
    if (flags.json) this.printJson(found);
    else this.print(wrapText(await closeText(words, found, flags.lines), this.columns()));
    for (const one of unknown) this.say(printable(unknownText(one)));
    if (unknown.length > 0) throw new SilentExit(EXIT.error);
  }

  #watch(flags: WatchFlags, words: readonly string[]): Promise<void> {
    const chosen = (view: ClusterView) => chooseUnits(words, unitRows(view)).rows;
    return this.show(flags, {
      read: flags.json ? readClusterView : readListView,
      json: (view) => (words.length === 0 ? statusJson(view, unitRows(view), Date.now()) : chosen(view)),
      text: (view) =>
        words.length === 0
          ? clusterStatusText(view, unitRows(view), Date.now(), this.columns())
          : wrapText(
              chosen(view)
                .map((row) => unitStatusText(row, Date.now()))
                .join("\n\n"),
              this.columns(),
            ),
    });
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

/** Each unit on each machine, after a line for each word that names several. */
async function closeText(words: readonly string[], rows: readonly UnitRow[], lines: number): Promise<string> {
  const nowMs = Date.now();
  const summaries = words.flatMap((word) => unitSummary(word, chooseUnits([word], rows).rows) ?? []);
  const units = await Promise.all(
    rows.map(async (row) => {
      const last = rows.length > LOGGED_UNITS_MAX ? [] : await lastLines(row, lines);
      return [unitStatusText(row, nowMs), ...(last.length === 0 ? [] : ["", ...last])].join("\n");
    }),
  );
  return [...(summaries.length === 0 ? [] : [printable(summaries.join("\n"))]), ...units].join("\n\n");
}

function withStandaloneHint(error: OperationError): OperationError {
  const next = `${error.next}; on a machine that follows git alone: sudo fleet status --on-this-machine`;
  return new OperationError(error.code, error.message, { cause: error, next });
}
