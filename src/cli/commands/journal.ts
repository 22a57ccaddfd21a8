import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Args, Flags } from "@oclif/core";
import { isHubAddress } from "../../adapters/hub/hub-address.ts";
import { type MachineId, parseMachineId, type UnitName } from "../../domain/names.ts";
import { parseUnitName, serviceNameOf } from "../../domain/unit/unit-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { journalThrough } from "../journal-through.ts";
import { isJournalHere, journalctlOn } from "../journalctl-on.ts";
import { LookingCommand, lookingFlags } from "../looking-command.ts";
import { registryAddress, stateDirectoryOf } from "../open-registry-at.ts";
import { throughEngines } from "../through-engines.ts";
import { type UnitRow, unitRows } from "../views/unit-rows.ts";

/** What one look may ask for; whoever wants more reads the machine's journal there. */
const LINES_MAX = 100_000;

export default class JournalCommand extends LookingCommand {
  static override summary = "Print a unit's journal from the machine it runs on";
  static override description =
    "Through engines where this machine is of the cluster and root asks: in this machine's name, and each machine answers those its allow_journal names. Else by ssh.";
  static override args = { unit: Args.string({ required: true, description: "A unit's name" }) };
  static override flags = {
    ...lookingFlags,
    lines: Flags.integer({ char: "n", description: "How many of the last lines", default: 10, min: 0, max: LINES_MAX }),
    follow: Flags.boolean({ char: "f", description: "Go on with new lines until interrupted" }),
    machine: Flags.string({ description: "Only from this machine: its name or id" }),
    through: Flags.string({
      description:
        "Ask through these engines, hub://host[,host] (default: this machine's own, or those it goes through; root only)",
      env: "FLEET_THROUGH",
    }),
    ssh: Flags.boolean({ description: "By ssh, also where engines could be asked" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JournalCommand);
    const name = args.unit.includes(".") ? args.unit : `${args.unit}.service`;
    const registry = (await registryAddress(flags)) ?? undefined;
    const wanted = await this.#places(name, { ...flags, registry });
    const stop = new AbortController();
    const { through } = flags;
    const engines = flags.ssh ? null : throughEngines({ through, registry }, process.geteuid?.() === 0);
    // oclif leaves out what nobody said.
    const options = { lines: flags.lines, follow: flags.follow === true, json: flags.json === true };
    const read = async (place: Place): Promise<number> => {
      const { machine, unit } = place;
      const direct = () => this.#run(journalctlOn(place, serviceNameOf(unit), options));
      if (engines === null || (flags.through === undefined && isJournalHere(place))) return direct();
      const wish = { machine, unit, ...options };
      try {
        return await this.#print(journalThrough(engines, stateDirectoryOf(flags), wish, stop.signal));
      } catch (error) {
        const isCarried = !(error instanceof OperationError) || !NOT_CARRIED.has(error.code);
        if (isCarried || flags.through !== undefined || place.address === null) throw error;
        this.say(`by ssh, because no engine carries it: ${error.message}`);
        return direct();
      }
    };
    if (engines !== null) process.once("SIGINT", () => stop.abort());
    const codes: number[] = [];
    if (flags.follow) codes.push(...(await Promise.all(wanted.map(read))));
    else
      for (const place of wanted) {
        if (wanted.length > 1 && !flags.json) this.say(`== ${place.unit} on ${place.machineName}`);
        codes.push(await read(place));
      }
    process.exitCode = stop.signal.aborted ? 130 : Math.max(...codes);
  }

  /** Where it is by what the registry says; engines tell a machine of itself alone, so there it is said. */
  async #places(unit: string, flags: Parameters<LookingCommand["view"]>[0] & PlaceFlags): Promise<readonly Place[]> {
    if (flags.registry === undefined || !isHubAddress(flags.registry)) {
      return placesOf(unit, unitRows(await this.view(flags)), flags.machine);
    }
    const machine = parseMachineId(flags.machine ?? "");
    const parsed = parseUnitName(unit);
    if (machine === null || parsed === null) {
      throw new OperationError("which-machine", "an engine does not tell this machine where other units are", {
        next: "name a unit, and its machine by its id: --machine ID; or run it where the registry itself is reached",
      });
    }
    return [{ unit: unit as UnitName, machine, machineName: machine, address: null }];
  }

  async #run(argv: readonly string[]): Promise<number> {
    const child: ChildProcess = spawn(argv[0]!, argv.slice(1), { stdio: ["ignore", "inherit", "inherit"] });
    try {
      const [code] = (await once(child, "exit")) as [number | null];
      return code ?? 1;
    } catch (cause) {
      throw new OperationError("program-missing", `cannot run ${argv[0]}`, { cause });
    }
  }

  async #print(parts: AsyncIterable<string>): Promise<number> {
    try {
      for await (const part of parts) if (!process.stdout.write(part)) await once(process.stdout, "drain");
    } catch (error) {
      // Whoever read it has read enough: `fleet journal web | head`.
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
    }
    return 0;
  }
}

interface PlaceFlags {
  readonly machine?: string | undefined;
}

/** A unit on a machine. */
type Place = Pick<UnitRow, "unit" | "machineName" | "address"> & { readonly machine: MachineId };

/** Nobody was asked, so that nothing was refused: another way may lead there. */
const NOT_CARRIED: ReadonlySet<string> = new Set([
  ...["machine-not-here", "engine-lost", "engine-too-old", "engine-busy"],
  ...["no-engine-keys", "not-joined", "hub-socket", "not-allowed"],
]);

/** The machines that hold the unit, or the one asked for among them. */
function placesOf(unit: string, all: readonly UnitRow[], machine: string | undefined): Place[] {
  const rows = all.filter((row) => row.unit === unit);
  if (rows.length === 0) {
    throw new OperationError("unit-unknown", `there is no unit ${unit} in the release`, { next: "fleet list-units" });
  }
  const placed = rows.flatMap((row) => (row.machine === null ? [] : [{ ...row, machine: row.machine }]));
  if (placed.length === 0) throw new OperationError("not-placed", `${unit} is on no machine`, { next: "fleet status" });
  const wanted = placed.filter(
    (row) => machine === undefined || row.machineName === machine || row.machine === machine,
  );
  if (wanted.length > 0) return wanted;
  throw new OperationError("not-there", `${unit} is not on ${machine}`, {
    next: `leave --machine out, or name one of ${placed.map((row) => row.machineName).join(", ")}`,
  });
}
