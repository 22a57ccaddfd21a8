import { existsSync, lstatSync, mkdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from "node:fs";
import { dirname, join } from "node:path";
import type { MachineUnit } from "../lab/boot-machine.ts";
import { type LabOptions, labDown, labUp } from "../lab/lab.ts";
import { type LabState, labFolder } from "../lab/lab-state.ts";
import { BOOT_ID_COPY } from "../lab/machine-init.ts";
import { missingPackages } from "../lab/prerequisites.ts";
import { OperationError } from "../ports/operation-error.ts";
import { DEFAULT_REGISTRY_SOCKET } from "./registry-flags.ts";

/** Where the git server of a lab listens on the lab's own bridge; nothing else is there. */
const SOURCE_PORT = 8418;
/** A lab shows a machine's loss in seconds; the defaults for real clusters stay 30 s and 60 s. */
const LAB_AGENT_TTL = "3s";
const LAB_GRACE = "1s";
/** So do the others: about as much shorter as the lease is, where somebody would stand and wait for them. */
const LAB_LOSS = "outageWindow=20s,lossWindow=1s,movesWindow=10s,flapWindow=2m,flapHold=20s,flapHoldMax=2m";

export interface LabClusterOptions {
  readonly name: string;
  readonly machines: number;
  /** The built bundle's folder. */
  readonly bundle: string;
  /** The repository's `.git` folder. */
  readonly gitFolder: string;
  readonly branch: string;
  readonly manifest: string;
  /** An etcd to use instead of an embedded registry of the lab's own. */
  readonly registry: string | undefined;
}

/** A lab with a cluster on it: the registry on the host, an engine and an agent on every machine, the repository over HTTP. */
export async function labClusterUp(options: LabClusterOptions): Promise<LabState> {
  refuseWithout(missingPackages());
  const lab = await labUp(labOptions(options));
  linkDefaultSocket(labSocket(options.name));
  return lab;
}

export async function labClusterDown(name: string): Promise<string[]> {
  unlinkDefaultSocket(labSocket(name));
  return labDown(name);
}

/** The socket of the lab's registry on the host. */
export function labSocket(name: string): string {
  return join(labFolder(name), "shared", "registry.sock");
}

function labOptions(options: LabClusterOptions): LabOptions {
  const socket = labSocket(options.name);
  const registryArgv =
    options.registry === undefined
      ? [
          "registry",
          "serve",
          "--data-directory",
          join(labFolder(options.name), "registry"),
          "--listen",
          `unix:${socket}`,
          "--socket-mode",
          "0660",
        ]
      : ["lab", "relay", socket, options.registry];
  return {
    name: options.name,
    machines: options.machines,
    bundle: { node: process.execPath, folder: options.bundle },
    environment: { FLEET_REGISTRY: `unix:${socket}` },
    processes: (hostAddress, bundle) => {
      const fleet = [process.execPath, join(bundle, "fleet.js")];
      return [
        { role: "registry", argv: [...fleet, ...registryArgv] },
        { role: "source", argv: [...fleet, "lab", "source", options.gitFolder, `${hostAddress}:${SOURCE_PORT}`] },
      ];
    },
    units: (hostAddress, machine) => [
      daemonUnit("engine", shippedUnit(options.bundle, "fleet-engine.service"), hostAddress, machine, options),
      daemonUnit("agent", shippedUnit(options.bundle, "fleet-agent.service"), hostAddress, machine, options),
      ...["fleet-restore.service", "fleet-lease@.service"].map((name) => ({
        name,
        text: shippedUnit(options.bundle, name),
      })),
    ],
  };
}

/** As it is shipped, but for where things are in a lab's machine. */
function shippedUnit(bundle: string, name: string): string {
  const text = readFileSync(join(bundle, "systemd", name), "utf8");
  return text.replaceAll("/usr/lib/fleet/node", "/opt/fleet/node").replaceAll("/usr/lib/fleet/", "/opt/fleet/app/");
}

function daemonUnit(
  role: string,
  text: string,
  hostAddress: string,
  machine: string,
  options: LabClusterOptions,
): MachineUnit {
  const environment = {
    FLEET_REGISTRY: "unix:/opt/fleet/shared/registry.sock",
    FLEET_SOURCE: `http://${hostAddress}:${SOURCE_PORT}/repo.git`,
    FLEET_BRANCH: options.branch,
    FLEET_MANIFEST: options.manifest,
    FLEET_METADATA: `machine=${machine},zone=${Number(machine.slice(1)) % 2 === 0 ? "b" : "a"}`,
    FLEET_AGENT_TTL: LAB_AGENT_TTL,
    FLEET_GRACE: LAB_GRACE,
    FLEET_LOSS: LAB_LOSS,
    // One cache for all machines: each would otherwise compile the same bundle on its own.
    NODE_COMPILE_CACHE: "/opt/fleet/shared/compile-cache",
  };
  const lines = Object.entries(environment).map(([key, value]) => `Environment="${key}=${quoted(value)}"`);
  // The registry's socket and the cache are the lab's own, outside of what a shipped unit may write.
  const bootId = `BindReadOnlyPaths=${BOOT_ID_COPY}:/proc/sys/kernel/random/boot_id`;
  const own = ["[Service]", "ReadWritePaths=/opt/fleet/shared", bootId, ...lines].join("\n");
  return { name: `fleet-${role}.service`, text: text.replace("[Service]", () => own) };
}

/** Inside a quoted assignment of a unit file: a branch's name may hold what systemd would read as a quote or a specifier. */
function quoted(value: string): string {
  return value.replace(/[\\"]/g, "\\$&").replaceAll("%", "%%");
}

function refuseWithout(missing: readonly string[]): void {
  if (process.getuid?.() !== 0) {
    throw new OperationError("not-root", "a lab of real machines needs root", { next: sudoLine() });
  }
  if (missing.length === 0) return;
  throw new OperationError("lab-prerequisites", `a lab needs what this machine lacks: ${missing.join(", ")}`, {
    next: `apt-get install ${missing.join(" ")}`,
  });
}

/** The line that does the same as root, with absolute paths: root's PATH has neither this Node nor this fleet. */
export function sudoLine(): string {
  return `sudo ${[process.execPath, ...process.argv.slice(1)].join(" ")}`;
}

/** So that `fleet plan` on the host finds the lab without a flag; only where nobody else has the place. */
function linkDefaultSocket(socket: string): void {
  if (existsSync(DEFAULT_REGISTRY_SOCKET)) return;
  mkdirSync(dirname(DEFAULT_REGISTRY_SOCKET), { recursive: true });
  rmSync(DEFAULT_REGISTRY_SOCKET, { force: true });
  try {
    symlinkSync(socket, DEFAULT_REGISTRY_SOCKET);
  } catch (error) {
    // Another lab that comes up has taken it meanwhile: it is the default.
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  }
}

function unlinkDefaultSocket(socket: string): void {
  const link = lstatSync(DEFAULT_REGISTRY_SOCKET, { throwIfNoEntry: false });
  if (link?.isSymbolicLink() === true && readlinkSync(DEFAULT_REGISTRY_SOCKET) === socket)
    rmSync(DEFAULT_REGISTRY_SOCKET);
}
