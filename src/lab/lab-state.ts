import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperationError } from "../ports/operation-error.ts";

/** Where every lab keeps what `down` must find again, whoever runs it. Outside /tmp and /run, which hosts empty. */
export const LABS_FOLDER = "/var/lib/fleet-lab";

/** A process on the host that belongs to a lab; the start time tells it from a later one of the same number. */
export interface LabProcess {
  readonly role: string;
  readonly pid: number;
  readonly startTime: string;
}

export interface LabMachine {
  readonly name: string;
  readonly address: string;
  /** 32 hexadecimal digits; the same for as long as the lab lives. */
  readonly machineId: string;
  /** Null while it is switched off. */
  readonly outer: LabProcess | null;
  /** Its PID 1, as the host numbers it. */
  readonly init: LabProcess | null;
}

export interface LabState {
  readonly name: string;
  readonly bridge: string;
  /** The host's address on the bridge. */
  readonly hostAddress: string;
  readonly prefixLength: number;
  readonly machines: readonly LabMachine[];
  readonly processes: readonly LabProcess[];
  readonly environment: Readonly<Record<string, string>>;
  readonly bundle: LabBundle;
  /** Settings of the host that were changed, with what they were. */
  readonly settings: Readonly<Record<string, string>>;
}

/** What runs in the machines: this Node and this folder, both mounted read-only. */
export interface LabBundle {
  readonly node: string;
  readonly folder: string;
}

export function labFolder(name: string): string {
  if (!/^[a-z][a-z0-9-]{0,15}$/.test(name)) {
    throw new OperationError("bad-lab-name", `${name} is not a lab's name`, { next: "use up to 16 of a-z, 0-9 and -" });
  }
  return join(LABS_FOLDER, name);
}

/** The lab's own copy of what its machines and its processes run. */
export function bundleFolder(lab: string): string {
  return join(labFolder(lab), "bundle");
}

export function machineFolder(lab: string, machine: string): string {
  return join(labFolder(lab), "machines", machine);
}

export function networkNamespace(lab: string, machine: string): string {
  return `fleet-${lab}-${machine}`;
}

export function readLab(name: string): LabState | null {
  const path = join(labFolder(name), "lab.json");
  return existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as LabState) : null;
}

/** The lab, or the error that says how to get one. */
export function needLab(name: string): LabState {
  const lab = readLab(name);
  if (lab !== null) return lab;
  throw new OperationError("no-lab", `there is no lab ${name}`, { next: "fleet lab up --machines 3" });
}

/** Writes the state of a lab that must not exist yet, even where two are made at once. */
export function createLab(state: LabState): void {
  const folder = labFolder(state.name);
  const draft = join(folder, `lab.json.${process.pid}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(draft, `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  try {
    linkSync(draft, join(folder, "lab.json"));
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
    throw new OperationError("lab-exists", `the lab ${state.name} is up already`, {
      next: "fleet lab down, or fleet lab list",
    });
  } finally {
    rmSync(draft);
  }
}

export function writeLab(state: LabState): void {
  const folder = labFolder(state.name);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  writeFileSync(join(folder, "lab.json.new"), `${JSON.stringify(state, null, 2)}\n`, { mode: 0o600 });
  renameSync(join(folder, "lab.json.new"), join(folder, "lab.json"));
}

/** Every other lab of this machine. */
export function otherLabs(name: string): LabState[] {
  return labNames()
    .filter((other) => other !== name)
    .flatMap((other) => readLab(other) ?? []);
}

export function labNames(): string[] {
  return existsSync(LABS_FOLDER)
    ? readdirSync(LABS_FOLDER).filter((name) => existsSync(join(LABS_FOLDER, name, "lab.json")))
    : [];
}

/** The kernel's start time of a process, or null where there is none. */
export function startTimeOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    // A zombie is no process any more: only its parent has not looked yet.
    return fields[0] === "Z" ? null : (fields[19] ?? null);
  } catch {
    return null; // Gone between two looks is gone.
  }
}

export function describeProcess(role: string, pid: number): LabProcess | null {
  const startTime = startTimeOf(pid);
  return startTime === null ? null : { role, pid, startTime };
}

export function isAlive(process: LabProcess | null): boolean {
  return process !== null && startTimeOf(process.pid) === process.startTime;
}
