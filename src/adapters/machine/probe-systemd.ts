import { execFile } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import type { DaemonFacts, PodmanFacts, SystemdFacts } from "../../domain/doctor/doctor-facts.ts";
import { OperationError } from "../../ports/operation-error.ts";
import { readOrRefuse } from "./probe-disk.ts";

/** A systemd that answers does so in milliseconds; during a daemon-reload in seconds. */
const PROGRAM_MAX_MS = 5_000;
const OUTPUT_MAX = 1024 * 1024;
const DAEMON_PROPERTIES =
  "Id,LoadState,ActiveState,SubState,Result,ActiveEnterTimestamp,NRestarts,UnitFileState,WantedBy,RequiredBy,LimitNOFILE";
/** Where systemd looks for it, in its order: the first counts, also where it is a mask. */
const PODMAN_GENERATORS = [
  "/run/systemd/system-generators/podman-system-generator",
  "/etc/systemd/system-generators/podman-system-generator",
  "/usr/local/lib/systemd/system-generators/podman-system-generator",
  "/usr/lib/systemd/system-generators/podman-system-generator",
  "/lib/systemd/system-generators/podman-system-generator",
];

/** `askBus` asks systemd anything on the system bus. */
export async function probeSystemd(askBus: () => Promise<unknown>): Promise<SystemdFacts> {
  const [firstProcess, version, busProblem] = await Promise.all([
    readOrRefuse("/proc/1/comm"),
    run("systemctl", "--version"),
    askBus().then(
      () => null,
      (error: unknown) => {
        if (!(error instanceof OperationError)) throw error;
        return `${error.code}: ${error.message}`;
      },
    ),
  ]);
  const number = /^systemd (\d+)/.exec(version ?? "")?.[1];
  return {
    firstProcess,
    isBooted: existsSync("/run/systemd/system"),
    version: number === undefined ? null : Number(number),
    busProblem,
    machineId: existsSync("/etc/machine-id") ? await readOrRefuse("/etc/machine-id") : null,
  };
}

/** Of each of these units, in their order. */
export async function probeDaemons(units: readonly string[]): Promise<DaemonFacts[]> {
  const text = await run("systemctl", "show", `--property=${DAEMON_PROPERTIES}`, "--", ...units);
  if (text === null) throw new OperationError("probe-failed", "systemctl show does not answer");
  const blocks = text.trim().split("\n\n");
  return units.map((unit, index) => daemonOf(unit, blocks[index] ?? ""));
}

function daemonOf(unit: string, block: string): DaemonFacts {
  const lines = block.split("\n").map((line) => line.split(/=(.*)/s));
  const values = new Map(lines.map(([name, value]) => [name!, value ?? ""]));
  const value = (name: string) => values.get(name) ?? "";
  const files = Number(value("LimitNOFILE"));
  return {
    unit,
    load: value("LoadState"),
    active: value("ActiveState"),
    sub: value("SubState"),
    result: value("Result"),
    since: value("ActiveEnterTimestamp"),
    restarts: Number(value("NRestarts")) || 0,
    isEnabled: value("UnitFileState").startsWith("enabled") || `${value("WantedBy")}${value("RequiredBy")}` !== "",
    openFilesMax: value("LimitNOFILE") === "" || !Number.isFinite(files) ? null : files,
  };
}

export async function probePodman(): Promise<PodmanFacts> {
  const version = /(\d+\.\d+\.\d+)/.exec((await run("podman", "--version")) ?? "")?.[1] ?? null;
  const generator = PODMAN_GENERATORS.find((path) => existsSync(path));
  return { version, hasGenerator: generator !== undefined && statSync(generator).isFile() };
}

/** Standard output; null where the program is not there, fails or hangs. */
function run(program: string, ...words: readonly string[]): Promise<string | null> {
  const limits = { timeout: PROGRAM_MAX_MS, maxBuffer: OUTPUT_MAX, killSignal: "SIGKILL", encoding: "utf8" } as const;
  return new Promise((resolve) => {
    execFile(program, words, limits, (error, stdout) => resolve(error === null ? stdout : null));
  });
}
