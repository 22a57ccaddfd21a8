import { hostname } from "node:os";
import { confOptions, isConfValue, setConf } from "../codec/fleet-conf.ts";
import { nameOfHost, parseMachineName } from "../domain/join/machine-name.ts";
import type { MachineId } from "../domain/names.ts";
import type { FileStore } from "../ports/file-store.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ServiceControl } from "../ports/service-control.ts";
import { fleetConf } from "./fleet-conf.ts";
import { bootId, machineId } from "./machine-id.ts";
import { parseMetadata } from "./metadata-flag.ts";

export interface JoinFlags {
  readonly name?: string | undefined;
  readonly metadata?: string | undefined;
  readonly "state-directory": string;
  readonly start: boolean;
}

/** What both ways of joining need of this machine. */
export interface Joining {
  readonly machine: MachineId;
  readonly bootId: string;
  readonly name: string;
  /** Somebody chose the name, now or when it joined before. */
  readonly isNamed: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly stateFolder: string;
  readonly files: FileStore;
  readonly control: ServiceControl;
}

/** Reads what this machine is, and what it was told before. */
export async function beginJoining(flags: JoinFlags): Promise<Joining> {
  if (process.geteuid?.() !== 0) {
    const line = `sudo ${[process.execPath, ...process.argv.slice(1)].join(" ")}`;
    throw new OperationError("not-root", "joining changes what this machine is, which only root may", { next: line });
  }
  const [{ DiskFileStore }, { Systemctl }] = await Promise.all([
    import("../adapters/files/disk-file-store.ts"),
    import("../adapters/systemd/systemctl.ts"),
  ]);
  const files = new DiskFileStore();
  const said = confOptions((await files.read(fleetConf())) ?? "");
  const named = flags.name ?? said.get("name");
  return {
    machine: machineId(),
    bootId: bootId(),
    name: nameOf(named),
    isNamed: named !== undefined,
    metadata: parseMetadata(flags.metadata ?? said.get("metadata") ?? ""),
    stateFolder: flags["state-directory"],
    files,
    control: new Systemctl(),
  };
}

/** Writes options of the daemons; undefined ones are left as they are. Whether anything changed. */
export async function writeConf(
  files: FileStore,
  values: Readonly<Record<string, string | undefined>>,
): Promise<boolean> {
  const wanted = Object.fromEntries(
    Object.entries(values).filter((pair): pair is [string, string] => pair[1] !== undefined),
  );
  const bad = Object.entries(wanted).find(([, value]) => !isConfValue(value));
  if (bad !== undefined) {
    throw new OperationError(
      "conf-value",
      `${bad[0]} cannot be written into ${fleetConf()}: it has a quote or a line's end`,
    );
  }
  const before = (await files.read(fleetConf())) ?? "";
  const after = setConf(before, wanted);
  if (after !== before) await files.write(fleetConf(), after);
  return after !== before;
}

/**
 * Has them run, also after a boot; `anew`: what they are told has changed. The services that were meant and are installed.
 */
export async function startServices(
  { start }: JoinFlags,
  { control }: Joining,
  services: readonly string[],
  anew: boolean,
): Promise<readonly string[]> {
  if (!start) return [];
  const there = await control.installed(services);
  await control.enableAndStart(there, anew);
  return there;
}

export function metadataOption(metadata: Readonly<Record<string, string>>): string | undefined {
  const pairs = Object.entries(metadata).map(([key, value]) => `${key}=${value}`);
  return pairs.length === 0 ? undefined : pairs.join(",");
}

function nameOf(named: string | undefined): string {
  const name = named === undefined ? nameOfHost(hostname()) : parseMachineName(named);
  if (name !== null) return name;
  const what = named === undefined ? `the host name ${hostname()}` : JSON.stringify(named);
  throw new OperationError("bad-name", `${what} cannot be a machine's name in a manifest`, {
    next: "--name, of a-z, 0-9, dots and dashes, at most 63",
  });
}
