import { spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import {
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { OperationError } from "../ports/operation-error.ts";
import {
  describeProcess,
  isAlive,
  type LabMachine,
  type LabState,
  labFolder,
  machineFolder,
  networkNamespace,
} from "./lab-state.ts";
import { defaultTarget, MACHINE_INIT, MASKED_UNITS } from "./machine-init.ts";
import { runProgram } from "./run-program.ts";

/** A machine boots in half a second; on a busy two-core host under tests it may take many times that. */
const BOOT_TIMEOUT_MS = 60_000;
const POLL_MS = 25;

/** File systems whose content an overlay over `/` does not show, so that each needs one of its own. */
const DISK_FILE_SYSTEMS: ReadonlySet<string> = new Set([
  "ext2",
  "ext3",
  "ext4",
  "xfs",
  "btrfs",
  "zfs",
  "f2fs",
  "overlay",
  "virtiofs",
  "9p",
  "bcachefs",
]);

/** A unit of the machine's own `/etc/systemd/system`, such as fleet's daemons. */
export interface MachineUnit {
  readonly name: string;
  readonly text: string;
}

/** Writes what the machine boots from; its disk keeps whatever was on it. */
export function prepareMachine(lab: LabState, machine: LabMachine, units: readonly MachineUnit[]): void {
  const folder = machineFolder(lab.name, machine.name);
  const unitFolder = join(folder, "units");
  rmSync(unitFolder, { recursive: true, force: true });
  mkdirSync(unitFolder, { recursive: true });
  for (const unit of MASKED_UNITS) symlinkSync("/dev/null", join(unitFolder, unit));
  for (const unit of units) writeFileSync(join(unitFolder, unit.name), unit.text);
  writeFileSync(
    join(unitFolder, "default.target"),
    defaultTarget(units.map((unit) => unit.name).filter((name) => !name.includes("@."))),
  );
  writeFileSync(join(folder, "machine-id"), `${machine.machineId}\n`);
  writeFileSync(join(folder, "hosts"), hostsOf(lab));
  writeFileSync(join(folder, "host-mounts"), hostMounts());
  writeFileSync(join(folder, "init.sh"), MACHINE_INIT);
}

/** Boots it and waits until its D-Bus answers. The machine with its processes, to be written into the lab's state. */
export async function bootMachine(lab: LabState, machine: LabMachine): Promise<LabMachine> {
  const folder = machineFolder(lab.name, machine.name);
  writeFileSync(join(folder, "boot-id"), `${randomUUID()}\n`);
  const log = openSync(join(folder, "boot.log"), "w");
  const outside = ["nsenter", `--net=/run/netns/${networkNamespace(lab.name, machine.name)}`];
  const namespaces = ["unshare", "--pid", "--fork", "--kill-child", "--mount", "--uts", "--ipc"];
  // Only the child enters the machine's cgroup, which its cgroup namespace then makes its root: were the parent in it as well, the
  // kernel would refuse the machine every cgroup controller (no processes beside child cgroups).
  const inside = inCgroup(cgroupFolder(lab.name, machine.name), [
    "unshare",
    "--cgroup",
    "bash",
    join(folder, "init.sh"),
  ]);
  const [program, ...rest] = inCgroup(cgroupFolder(lab.name, HOST), [...outside, ...namespaces, ...inside]) as [string];
  const child = spawn(program, rest, {
    detached: true,
    stdio: ["ignore", log, log],
    env: {
      PATH: process.env.PATH ?? "/usr/sbin:/usr/bin:/sbin:/bin",
      NAME: machine.name,
      DISK: folder,
      SHARED: join(labFolder(lab.name), "shared"),
      BUNDLE: lab.bundle.folder,
      NODE: lab.bundle.node,
    },
  });
  closeSync(log);
  child.unref();
  const outer = child.pid === undefined ? null : describeProcess("machine", child.pid);
  const booted = { ...machine, outer, init: null };
  const deadline = performance.now() + BOOT_TIMEOUT_MS;
  for (;;) {
    const init = outer === null ? null : initOf(outer.pid);
    if (init !== null && (await answers(init))) return { ...booted, init: describeProcess("init", init) };
    if (!isAlive(outer) || performance.now() > deadline) throw await bootError(machine.name, folder, init);
    await sleep(POLL_MS);
  }
}

/** The name in `cgroupFolder` of what runs on the host for the lab: no machine has it. */
export const HOST = "host";

/** The cgroup of one machine: in the v2 tree, wherever the host has it. */
export function cgroupFolder(lab: string, machine: string): string {
  const unified = "/sys/fs/cgroup/unified";
  return join(existsSync(unified) ? unified : "/sys/fs/cgroup", `fleet-lab-${lab}-${machine}`);
}

/** The words that run a program inside a cgroup, which is made if need be: in it, `down` finds what no state mentions. */
export function inCgroup(folder: string, argv: readonly string[]): string[] {
  mkdirSync(folder, { recursive: true });
  return ["bash", "-c", 'echo 0 > "$1/cgroup.procs" && shift && exec "$@"', "enter", folder, ...argv];
}

/** The one child of `unshare --fork`, once it has become systemd; null before that. */
function initOf(outer: number): number | null {
  try {
    const child = Number(readFileSync(`/proc/${outer}/task/${outer}/children`, "utf8").trim().split(" ")[0]);
    return child > 0 && readFileSync(`/proc/${child}/comm`, "utf8").trim() === "systemd" ? child : null;
  } catch {
    return null; // Not yet there, or gone: the caller looks at the outer process.
  }
}

async function answers(init: number): Promise<boolean> {
  if (!existsSync(`/proc/${init}/root/run/dbus/system_bus_socket`)) return false;
  const state = await runProgram([...enterNamespaces(init), "systemctl", "is-system-running"]);
  return /^(running|degraded|starting)$/m.test(state.stdout);
}

/** The words in front of a program that make it run in the machine with this PID 1. */
export function enterNamespaces(init: number): string[] {
  return ["nsenter", "-t", String(init), "-m", "-u", "-i", "-n", "-p", "-C"];
}

async function bootError(machine: string, folder: string, init: number | null): Promise<OperationError> {
  const journal = init === null ? null : await runProgram([...enterNamespaces(init), "journalctl", "-q", "-n", "10"]);
  const said = `${readFileSync(join(folder, "boot.log"), "utf8")}${journal?.stdout ?? ""}`
    .trim()
    .split("\n")
    .slice(-10);
  const log = said.join("\n");
  return new OperationError(
    "machine-did-not-boot",
    `lab machine ${machine} did not boot: ${log || "systemd ended without a word"}`,
    // Out of inotify instances, systemd ends before it can log.
    log === "" ? { next: "with many machines: sysctl -w fs.inotify.max_user_instances=2048" } : {},
  );
}

function hostsOf(lab: LabState): string {
  const machines = lab.machines.map(({ address, name }) => `${address} ${name}`);
  return `127.0.0.1 localhost\n${lab.hostAddress} lab-host\n${machines.join("\n")}\n`;
}

/** Mount points of the host that hold files of their own, parents before children. */
function hostMounts(): string {
  const points = readFileSync("/proc/self/mountinfo", "utf8")
    .trim()
    .split("\n")
    .map((line) => line.split(" "))
    .filter((fields) => DISK_FILE_SYSTEMS.has(fields[fields.indexOf("-") + 1] ?? ""))
    .map((fields) =>
      (fields[4] ?? "").replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
    );
  return `${[...new Set(points)].sort().join("\n")}\n`;
}

/** Every process in the machine's cgroup, for those who must end them all. */
export function processesOf(lab: string, machine: string): number[] {
  const pids: number[] = [];
  const visit = (folder: string): void => {
    try {
      const here = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").map(Number);
      // 0 stands for a process this one cannot see, and would be our own process group for kill.
      pids.push(...here.filter((pid) => pid > 0));
      for (const entry of readdirSync(folder, { withFileTypes: true }))
        if (entry.isDirectory()) visit(join(folder, entry.name));
    } catch (error) {
      // A running systemd removes cgroups while we look; a removed one holds no process.
      if (!["ENOENT", "ENODEV"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
    }
  };
  visit(cgroupFolder(lab, machine));
  return pids;
}
