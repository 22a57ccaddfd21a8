import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Args, Flags } from "@oclif/core";
import { serviceNameOf } from "../../domain/unit/unit-name.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { journalctlOn } from "../journalctl-on.ts";
import { LookingCommand, lookingFlags } from "../looking-command.ts";
import { type UnitRow, unitRows } from "../views/unit-rows.ts";

/** What one look may ask for; whoever wants more reads the machine's journal there. */
const LINES_MAX = 100_000;

export default class JournalCommand extends LookingCommand {
  static override summary = "Print a unit's journal from the machine it runs on";
  static override args = { unit: Args.string({ required: true, description: "A unit's name" }) };
  static override flags = {
    ...lookingFlags,
    lines: Flags.integer({ char: "n", description: "How many of the last lines", default: 10, min: 0, max: LINES_MAX }),
    follow: Flags.boolean({ char: "f", description: "Go on with new lines until interrupted" }),
    machine: Flags.string({ description: "Only from this machine: its name or id" }),
  };

  async run(): Promise<void> {
    const { args, flags } = await this.parse(JournalCommand);
    const name = args.unit.includes(".") ? args.unit : `${args.unit}.service`;
    const rows = unitRows(await this.view(flags)).filter((row) => row.unit === name);
    const wanted = placesOf(name, rows, flags.machine);
    const options = { lines: flags.lines, follow: flags.follow, json: flags.json };
    const reads = wanted.map((row) => ({ row, argv: journalctlOn(row, serviceNameOf(row.unit), options) }));
    const codes: number[] = [];
    if (flags.follow) codes.push(...(await Promise.all(reads.map(({ argv }) => this.#read(argv)))));
    else
      for (const { row, argv } of reads) {
        if (wanted.length > 1 && !flags.json) this.say(`== ${row.unit} on ${row.machineName}`);
        codes.push(await this.#read(argv));
      }
    process.exitCode = Math.max(...codes);
  }

  async #read(argv: readonly string[]): Promise<number> {
    const child: ChildProcess = spawn(argv[0]!, argv.slice(1), { stdio: ["ignore", "inherit", "inherit"] });
    try {
      const [code] = (await once(child, "exit")) as [number | null];
      return code ?? 1;
    } catch (cause) {
      throw new OperationError("program-missing", `cannot run ${argv[0]}`, { cause });
    }
  }
}

/** The machines that hold the unit, or the one asked for among them. */
function placesOf(unit: string, rows: readonly UnitRow[], machine: string | undefined): UnitRow[] {
  if (rows.length === 0) {
    throw new OperationError("unit-unknown", `there is no unit ${unit} in the release`, { next: "fleet list-units" });
  }
  const placed = rows.filter((row) => row.machine !== null);
  if (placed.length === 0) throw new OperationError("not-placed", `${unit} is on no machine`, { next: "fleet status" });
  const wanted = placed.filter(
    (row) => machine === undefined || row.machineName === machine || row.machine === machine,
  );
  if (wanted.length > 0) return wanted;
  throw new OperationError("not-there", `${unit} is not on ${machine}`, {
    next: `leave --machine out, or name one of ${placed.map((row) => row.machineName).join(", ")}`,
  });
}
