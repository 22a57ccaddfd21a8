import { hostname } from "node:os";
import { join } from "node:path";
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
  /** What the daemons are told by now, by option. */
  readonly said: ReadonlyMap<string, string>;
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
    said,
    files,
    control: new Systemctl(),
  };
}

/** There while the daemons have not been started with what they were told last. */
export const UNSTARTED_FILE = "join-unstarted";

/** Writes what the daemons are told, in place of what joining told them before; undefined options are not told. */
export async function writeConf(
  { files, stateFolder }: Joining,
  values: Readonly<Record<string, string | undefined>>,
): Promise<void> {
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
  if (after === before) return;
  // Before it: whoever is cut short between the two does the rest when it is run again.
  await files.write(join(stateFolder, UNSTARTED_FILE), "");
  await files.write(fleetConf(), after);
}

/** Has them run with what they are told, also after a boot; those that were meant and are installed. Who runs so already runs on. */
export async function startServices(
  { start }: JoinFlags,
  { control, files, stateFolder }: Joining,
  services: readonly string[],
): Promise<readonly string[]> {
  if (!start) return [];
  const path = join(stateFolder, UNSTARTED_FILE);
  const there = await control.installed(services);
  await control.enableAndStart(there, (await files.read(path)) !== null);
  await files.remove(path);
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
