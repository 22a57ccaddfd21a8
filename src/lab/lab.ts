import { spawn } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../ports/operation-error.ts";
import {
  bootMachine,
  cgroupFolder,
  enterNamespaces,
  HOST,
  inCgroup,
  type MachineUnit,
  prepareMachine,
  processesOf,
} from "./boot-machine.ts";
import { claimLab } from "./claim-lab.ts";
import { makeRoom, restoreSettings } from "./host-settings.ts";
import { bridgeUp, networkDown, networkLeftovers, plugIn, setCable } from "./lab-network.ts";
import {
  describeProcess,
  isAlive,
  type LabBundle,
  type LabMachine,
  type LabProcess,
  type LabState,
  labFolder,
  machineFolder,
  needLab,
  writeLab,
} from "./lab-state.ts";
import { mustRun, type ProgramResult, runProgram } from "./run-program.ts";

/** How long ended processes may take to be gone. */
const END_TIMEOUT_MS = 10_000;
/** Addresses end in 11 and up, and the kernel names a cable by at most 15 characters. */
const MACHINES_MAX = 200;

export interface LabOptions {
  readonly name: string;
  readonly machines: number;
  readonly bundle: LabBundle;
  /** Units each machine boots with: fleet's daemons. The host's address is known only once the lab has its network. */
  readonly units: (hostAddress: string, machine: string) => readonly MachineUnit[];
  /** Processes on the host, started once the bridge is up: the registry, the git server; `bundle` is the lab's copy of that folder. */
  readonly processes: (
    hostAddress: string,
    bundle: string,
  ) => readonly { readonly role: string; readonly argv: readonly string[] }[];
  /** Kept in the lab's state for whoever comes later. */
  readonly environment: Readonly<Record<string, string>>;
}

/** Makes the machines and boots them all at once. What fails takes everything down again and rejects. */
export async function labUp(options: LabOptions): Promise<LabState> {
  if (options.machines < 1 || options.machines > MACHINES_MAX) {
    throw new OperationError("lab-size", `a lab has 1 to ${MACHINES_MAX} machines, not ${options.machines}`);
  }
  const lab = await claimLab(options);
  try {
    makeRoom(lab);
    await mountDisk(lab);
    await bridgeUp(lab);
    mkdirSync(join(labFolder(lab.name), "shared"), { recursive: true });
    // A lab outlives the folder it was started from: whoever builds fleet anew removes that one.
    cpSync(options.bundle.folder, lab.bundle.folder, { recursive: true });
    const processes = options
      .processes(lab.hostAddress, lab.bundle.folder)
      .map(({ role, argv }) => startOnHost(lab.name, role, argv));
    writeLab({ ...lab, processes });
    for (const machine of lab.machines) {
      mkdirSync(machineFolder(lab.name, machine.name), { recursive: true });
      await plugIn(lab, machine.name, machine.address);
      prepareMachine(lab, machine, options.units(lab.hostAddress, machine.name));
    }
    const machines = await Promise.all(lab.machines.map((machine) => bootMachine(lab, machine)));
    for (const process of processes) refuseEnded(lab.name, process);
    const up = { ...lab, processes, machines };
    writeLab(up);
    return up;
  } catch (error) {
    await labDown(options.name);
    throw error;
  }
}

/** The machines' disks: one tmpfs, because an overlay's upper layer may not lie in its lower one, nor on an overlay. */
async function mountDisk(lab: LabState): Promise<void> {
  const disk = join(labFolder(lab.name), "machines");
  mkdirSync(disk, { recursive: true });
  await mustRun(["mount", "-t", "tmpfs", "-o", "mode=700", `fleet-lab-${lab.name}`, disk]);
}

function startOnHost(lab: string, role: string, argv: readonly string[]): LabProcess {
  const log = openSync(join(labFolder(lab), `${role}.log`), "a");
  const [program, ...rest] = inCgroup(cgroupFolder(lab, HOST), argv) as [string];
  const child = spawn(program, rest, { detached: true, stdio: ["ignore", log, log] });
  closeSync(log);
  child.unref();
  const started = child.pid === undefined ? null : describeProcess(role, child.pid);
  if (started === null) throw new OperationError("lab-process", `${role} of the lab did not start: ${argv.join(" ")}`);
  return started;
}

function refuseEnded(lab: string, process: LabProcess): void {
  if (isAlive(process)) return;
  const log = readFileSync(join(labFolder(lab), `${process.role}.log`), "utf8")
    .trim()
    .split("\n")
    .slice(-10)
    .join("\n");
  throw new OperationError("lab-process", `the lab's ${process.role} has ended: ${log || "without a word"}`);
}

/** Runs a program in a machine, as root, and returns what it said. */
export function labExec(
  lab: string,
  machine: string,
  argv: readonly string[],
  options: { stdin?: string; timeoutMs?: number } = {},
): Promise<ProgramResult> {
  return runProgram([...enterMachine(lab, machine), ...argv], options);
}

/** The words in front of a program that make it run in a machine. */
export function enterMachine(lab: string, machine: string): string[] {
  const { init } = needMachine(needLab(lab), machine);
  if (init === null || !isAlive(init)) {
    throw new OperationError("machine-off", `lab machine ${machine} is switched off`, {
      next: `fleet lab revive ${machine}`,
    });
  }
  return enterNamespaces(init.pid);
}

/** Pulls the plug: every process of the machine ends at once, its disk stays. */
export async function labKill(lab: string, machine: string): Promise<void> {
  const state = needLab(lab);
  await killMachine(state, needMachine(state, machine));
}

/** Boots a machine that was killed, with its disk and its machine id, and a new boot id. */
export async function labRevive(lab: string, machine: string): Promise<void> {
  const state = needLab(lab);
  const known = needMachine(state, machine);
  if (isAlive(known.init)) throw new OperationError("machine-on", `lab machine ${machine} is running`);
  await killMachine(state, known);
  const booted = await bootMachine(state, known);
  const now = needLab(lab);
  writeLab({ ...now, machines: now.machines.map((other) => (other.name === machine ? booted : other)) });
}

/** Pulls a machine's network cable, or puts it back. */
export async function labCable(lab: string, machine: string, cable: "up" | "down"): Promise<void> {
  const state = needLab(lab);
  needMachine(state, machine);
  await setCable(state, machine, cable);
}

export interface ListedMachine {
  readonly name: string;
  readonly address: string;
  readonly machineId: string;
  readonly alive: boolean;
}

export function labList(lab: string): ListedMachine[] {
  return needLab(lab).machines.map(({ name, address, machineId, init }) => ({
    name,
    address,
    machineId,
    alive: isAlive(init),
  }));
}

/** Takes the lab down and looks whether anything is left of it; names what is. Also after an `up` that died half way. */
export async function labDown(name: string): Promise<string[]> {
  const lab = needLab(name);
  await Promise.all(lab.machines.map((machine) => killMachine(lab, machine)));
  await Promise.all(lab.processes.map(endProcess));
  await emptyCgroup(lab.name, HOST);
  await networkDown(lab);
  await unmountDisk(lab);
  restoreSettings(lab);
  const leftovers = await leftoversOf(lab);
  if (leftovers.length === 0) rmSync(labFolder(name), { recursive: true, force: true });
  return leftovers;
}

async function unmountDisk(lab: LabState): Promise<void> {
  const disk = join(labFolder(lab.name), "machines");
  for (let attempt = 0; attempt < 50 && mountsBelow(disk).length > 0; attempt++) {
    if ((await runProgram(["umount", disk])).code !== 0) await sleep(50);
  }
}

function mountsBelow(path: string): string[] {
  return readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .map((line) => line.split(" ")[4] ?? "")
    .filter((point) => point === path || point.startsWith(`${path}/`));
}

async function leftoversOf(lab: LabState): Promise<string[]> {
  return [
    ...(await networkLeftovers(lab)),
    ...mountsBelow(labFolder(lab.name)).map((point) => `mount ${point}`),
    ...[HOST, ...lab.machines.map(({ name }) => name)]
      .map((name) => cgroupFolder(lab.name, name))
      .filter((folder) => existsSync(folder)),
    ...[...lab.processes, ...lab.machines.flatMap(({ outer, init }) => [outer, init])]
      .filter((process) => process !== null && isAlive(process))
      .map((process) => `process ${process?.pid} (${process?.role})`),
  ];
}

async function killMachine(lab: LabState, machine: LabMachine): Promise<void> {
  for (const process of [machine.init, machine.outer]) if (isAlive(process)) kill(process!.pid, "SIGKILL");
  await emptyCgroup(lab.name, machine.name);
  await until(() => !isAlive(machine.init) && !isAlive(machine.outer));
}

/** Ends whatever is in one of the lab's cgroups, also what an `up` that was killed did not write down, and removes it. */
async function emptyCgroup(lab: string, name: string): Promise<void> {
  await until(() => {
    const pids = processesOf(lab, name);
    for (const pid of pids) kill(pid, "SIGKILL");
    return pids.length === 0;
  });
  // The kernel counts a process that has ended, and whose parent has not noticed yet, for some moments more.
  await until(() => {
    removeCgroup(cgroupFolder(lab, name));
    return !existsSync(cgroupFolder(lab, name));
  });
}

function removeCgroup(folder: string): void {
  if (!existsSync(folder)) return;
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeCgroup(join(folder, entry.name));
  try {
    rmdirSync(folder);
  } catch {
    // Busy for a moment, or gone: what stays is found by `leftoversOf`.
  }
}

async function endProcess(process: LabProcess): Promise<void> {
  if (isAlive(process)) kill(process.pid, "SIGTERM");
  await until(() => !isAlive(process), 3_000);
  if (isAlive(process)) kill(process.pid, "SIGKILL");
  await until(() => !isAlive(process));
}

function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

async function until(condition: () => boolean, timeoutMs = END_TIMEOUT_MS): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition() && performance.now() < deadline) await sleep(20);
}

function needMachine(lab: LabState, machine: string): LabMachine {
  const found = lab.machines.find(({ name }) => name === machine);
  if (found !== undefined) return found;
  throw new OperationError("no-machine", `the lab has no machine ${machine}`, {
    next: `its machines are ${lab.machines.map(({ name }) => name).join(", ")}`,
  });
}
