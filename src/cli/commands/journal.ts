import { Args, Flags } from "@oclif/core";
import { isHubAddress } from "../../adapters/hub/hub-address.ts";
import { parseMachineId, type UnitName } from "../../domain/names.ts";
import { parseUnitName } from "../../domain/unit/unit-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { readListView } from "../cluster-view.ts";
import { EXIT } from "../exit-codes.ts";
import { readJournal } from "../journal-reader.ts";
import { parseSince } from "../journal-since.ts";
import { LookingCommand, lookingFlags } from "../looking-command.ts";
import { mergeJournals } from "../merge-journals.ts";
import { registryAddress, stateDirectoryOf } from "../open-registry-at.ts";
import { errorText } from "../report-error.ts";
import { throughEngines } from "../through-engines.ts";
import { type Place, placesOf } from "../unit-place.ts";
import { unitRows } from "../views/unit-rows.ts";

/** What one look may ask for; whoever wants more reads the machine's journal there. */
const LINES_MAX = 100_000;
/** fleetctl's. */
const LINES_USUAL = 10;

export default class JournalCommand extends LookingCommand {
  static override summary = "Print the journal of units from the machines they run on";
  static override description =
    "Through engines where this machine is of the cluster and root asks: in this machine's name, and each machine answers those its allow_journal names. Else by ssh. Of several units or machines, lines come by their time, with the machine's name.";
  static override examples = ["fleet journal web", "fleet journal 'web@*' db.service@m1 --since 10m"];
  static override args = {
    unit: Args.string({
      required: true,
      description: "A unit's name, a template's, a pattern, or one with a machine: web.service@m1; several may follow",
    }),
  };
  static override strict = false;
  static override flags = {
    ...lookingFlags,
    lines: Flags.integer({
      char: "n",
      description: `How many of the last lines of each (default: ${LINES_USUAL}, or all there are with --since)`,
      min: 0,
      max: LINES_MAX,
    }),
    since: Flags.string({ description: "Nothing older: 10m ago, or a time such as 2026-11-21T10:00:00Z" }),
    follow: Flags.boolean({ char: "f", description: "Go on with new lines until interrupted" }),
    machine: Flags.string({ description: "Only from this machine: its name, its id, or the beginning of its id" }),
    through: Flags.string({
      description:
        "Ask through these engines, hub://host[,host] (default: this machine's own, or those it goes through; root only)",
      env: "FLEET_THROUGH",
    }),
    ssh: Flags.boolean({ description: "By ssh, also where engines could be asked" }),
  };

  async run(): Promise<void> {
    const { argv, flags } = await this.parse(JournalCommand);
    const registry = (await registryAddress(flags)) ?? undefined;
    const sinceMs = flags.since === undefined ? undefined : parseSince(flags.since, Date.now());
    const places = await this.#places(argv.map(String), { ...flags, registry });
    const stop = new AbortController();
    const { through } = flags;
    const engines = flags.ssh ? null : throughEngines({ through, registry }, process.geteuid?.() === 0);
    const lines = flags.lines ?? (sinceMs === undefined ? LINES_USUAL : LINES_MAX);
    // oclif leaves out what nobody said.
    const options = { lines, follow: flags.follow === true, json: flags.json === true, sinceMs };
    const way = {
      ...{ engines, isNamed: through !== undefined, stateDirectory: stateDirectoryOf(flags), signal: stop.signal },
      say: (line: string) => this.say(line),
    };
    if (engines !== null || places.length > 1) process.once("SIGINT", () => stop.abort());
    // What engines carry knows no time to begin at: its entries are looked at here.
    const isOne = places.length === 1 && (sinceMs === undefined || engines === null);
    const code = isOne
      ? await readJournal(places[0]!, options, way, null)
      : await mergeJournals(places, options, way, {
          print: (line) => this.print(line),
          fail: ({ unit, machineName }, error) => {
            if (!(error instanceof OperationError)) throw error;
            this.say(`${unit} on ${machineName}: ${errorText(error)}`);
            return EXIT.error;
          },
        });
    process.exitCode = stop.signal.aborted ? 130 : code;
  }

  /** Where they are by what the registry says; engines tell a machine of itself alone, so there it is said. */
  async #places(
    words: readonly string[],
    flags: Parameters<LookingCommand["view"]>[0] & { readonly machine?: string | undefined },
  ): Promise<readonly Place[]> {
    if (flags.registry === undefined || !isHubAddress(flags.registry)) {
      const view = await this.look(flags, readListView);
      const rows = unitRows(view);
      const places = words.flatMap((word) => placesOf(word, rows, view.snapshot.members, flags.machine));
      return [...new Map(places.map((place) => [`${place.unit} ${place.machine}`, place])).values()];
    }
    const machine = parseMachineId(flags.machine ?? "");
    return words.map((word) => {
      const unit = word.includes(".") ? word : `${word}.service`;
      if (machine === null || parseUnitName(unit) === null) {
        throw new OperationError("which-machine", "an engine does not tell this machine where other units are", {
          next: "name a unit, and its machine by its id: --machine ID; or run it where the registry itself is reached",
        });
      }
      return { unit: unit as UnitName, machine, machineName: machine, address: null };
    });
  }
}
