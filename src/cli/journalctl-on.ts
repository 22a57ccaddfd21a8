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
  ];
  const lab = labMachine(row.machine);
  if (lab !== null) return [...enterMachine(lab.lab, lab.machine), ...argv];
  if (row.machine === ownMachineId()) return argv;
  if (isIP(row.address ?? "") === 0) {
    throw new OperationError("no-address", `${row.machineName} published no IP address to reach it by`, {
      next: "start its agent with --public-ip",
    });
  }
  // ssh hands one line to the shell over there.
  return ["ssh", "--", row.address!, argv.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(" ")];
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
