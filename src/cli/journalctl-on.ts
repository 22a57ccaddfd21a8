import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { enterMachine } from "../lab/lab.ts";
import { labNames, readLab } from "../lab/lab-state.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { UnitRow } from "./views/unit-rows.ts";

export interface JournalOptions {
  readonly lines: number;
  readonly follow: boolean;
  readonly json: boolean;
  /** Nothing older than this, in milliseconds since 1970. */
  readonly sinceMs?: number | undefined;
}

/** Whether its journal is read without asking anybody: it is this machine, or one of a lab here. */
export function isJournalHere({ machine }: Pick<UnitRow, "machine">): boolean {
  return labMachine(machine) !== null || machine === ownMachineId();
}

/**
 * The words that read a unit's journal on its machine: inside it where it is a machine of a lab here, here where it is this
 * machine, else by ssh. An address is what a machine claimed of itself, so only an IP address gets as far as ssh.
 */
export function journalctlOn(
  row: Pick<UnitRow, "machine" | "machineName" | "address">,
  service: string,
  options: JournalOptions,
): string[] {
  const argv = [
    ...["journalctl", "--quiet", "--no-pager", `--lines=${options.lines}`, `--unit=${service}`],
    ...(options.follow ? ["--follow"] : []),
    ...(options.json ? ["--output=json"] : []),
    ...(options.sinceMs === undefined ? [] : [`--since=@${(options.sinceMs / 1_000).toFixed(3)}`]),
  ];
  if (row.machine === ownMachineId()) return argv;
  const lab = inLabMachine(row.machine);
  if (lab !== null) return [...lab, ...argv];
  // ssh hands one line to the shell over there.
  return ["ssh", "--", addressOf(row), argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")];
}

/** An IP address and nothing else: it is what a machine claims of itself, and must be neither an option of ssh nor a name of its configuration. */
export function addressOf({ address, machineName }: Pick<UnitRow, "machineName" | "address">): string {
  if (address !== null && isIP(address) !== 0) return address;
  throw new OperationError("no-address", `${machineName} published no IP address to reach it by`, {
    next: "start its agent with --public-ip",
  });
}

/** The words that run something inside it, where it is a machine of a lab here. */
export function inLabMachine(id: string | null): string[] | null {
  const lab = labMachine(id);
  return lab === null ? null : enterMachine(lab.lab, lab.machine);
}

function labMachine(id: string | null): { lab: string; machine: string } | null {
  for (const lab of process.getuid?.() === 0 ? labNames() : []) {
    const machine = readLab(lab)?.machines.find(({ machineId }) => machineId === id);
    if (machine !== undefined) return { lab, machine: machine.name };
  }
  return null;
}

function ownMachineId(): string | null {
  try {
    return readFileSync("/etc/machine-id", "utf8").trim();
  } catch {
    return null; // A host without an id is none of the cluster's machines.
  }
}
