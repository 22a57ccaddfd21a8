import { execFile } from "node:child_process";
import type { Message, Variant } from "dbus-next";
import type { UnitName } from "../../domain/names.ts";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { JobResult, ManagedUnit, UnitDetails, UnitManager } from "../../ports/unit-manager.ts";
import { Bus, BusError } from "./bus.ts";
import { JobTracker } from "./job-tracker.ts";
import { unitPath } from "./unit-path.ts";

const MANAGER = "org.freedesktop.systemd1.Manager";
const UNIT = "org.freedesktop.systemd1.Unit";
const MANAGER_PATH = "/org/freedesktop/systemd1";
const SYSTEM_BUS = "unix:path=/run/dbus/system_bus_socket";
/** Patterns in one ListUnitsByPatterns: the reply stays small and the request far below the bus's 128 MiB. */
const PATTERNS_PER_CALL = 500;
/** A journal's tail is small and near; a machine that cannot read it in this time has worse troubles. */
const JOURNAL_TIMEOUT_MS = 10_000;
const JOURNAL_BYTES_MAX = 256 * 1024;
/** Signals come about twenty to a job; whoever is woken reads everything, so one wake for all of them. */
const WAKE_DELAY_MS = 20;

/** Only what means that a unit's state may have changed; everything else would be parsed for nothing. */
const MATCHES: readonly string[] = [
  `type='signal',sender='org.freedesktop.systemd1',interface='${MANAGER}',member='JobRemoved'`,
  `type='signal',sender='org.freedesktop.systemd1',interface='${MANAGER}',member='Reloading'`,
  `type='signal',sender='org.freedesktop.systemd1',interface='org.freedesktop.DBus.Properties',member='PropertiesChanged',path_namespace='${MANAGER_PATH}/unit',arg0='${UNIT}'`,
];

export interface SystemdOptions {
  readonly clock: Clock;
  /** The bus systemd is on; the system bus where not given. */
  readonly address?: string;
  /** Words in front of `journalctl`, for a systemd that is not this machine's own. */
  readonly journalPrefix?: readonly string[];
}

/** systemd over D-Bus: raw calls, one listing for all units, signals that only wake. */
export class SystemdUnitManager implements UnitManager {
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #journalPrefix: readonly string[];
  readonly #jobs: JobTracker;
  readonly #wakes = new Set<() => void>();
  #wakePending = false;

  constructor(options: SystemdOptions) {
    this.#clock = options.clock;
    this.#journalPrefix = options.journalPrefix ?? [];
    this.#jobs = new JobTracker(options.clock, (job) => this.#jobExists(job));
    this.#bus = new Bus({
      address: options.address ?? SYSTEM_BUS,
      clock: options.clock,
      prepare: async (bus) => {
        // Matches before Subscribe, and both before any job, or the end of a fast one is missed.
        for (const match of MATCHES) await bus.call({ ...DBUS, member: "AddMatch", signature: "s", body: [match] });
        await bus.call({ path: MANAGER_PATH, interface: MANAGER, member: "Subscribe" });
      },
      onSignal: (message) => this.#onSignal(message),
      onLost: () => {
        this.#jobs.lost();
        this.#wake();
      },
    });
  }

  async list(names: readonly UnitName[]): Promise<readonly ManagedUnit[]> {
    const listed: ManagedUnit[] = [];
    const wanted = new Set<string>(names);
    for (let start = 0; start < names.length; start += PATTERNS_PER_CALL) {
      const patterns = names.slice(start, start + PATTERNS_PER_CALL).map(literalPattern);
      // By patterns, not by names: asking for a name makes systemd load the unit from disk.
      const [units] = await this.#manager("ListUnitsByPatterns", "asas", [[], patterns]);
      for (const unit of units as [string, string, string, string, string][]) {
        if (wanted.has(unit[0])) listed.push({ name: unit[0] as UnitName, load: unit[2], active: unit[3], sub: unit[4] });
      }
    }
    return listed;
  }

  async details(name: UnitName): Promise<UnitDetails | null> {
    try {
      const [fragmentPath, sinceMicros, invocation] = await Promise.all([
        this.#property(name, UNIT, "FragmentPath"),
        this.#property(name, UNIT, "StateChangeTimestamp"),
        this.#property(name, UNIT, "InvocationID"),
      ]);
      const type = typeInterface(name);
      const result = type === null ? "" : await this.#property(name, type, "Result");
      const restarts = type?.endsWith("Service") === true ? await this.#property(name, type, "NRestarts") : 0;
      return {
        fragmentPath: String(fragmentPath),
        since: Number(sinceMicros) === 0 ? "" : new Date(Number(sinceMicros) / 1000).toISOString(),
        result: String(result),
        invocation: Buffer.from(invocation as Uint8Array).toString("hex"),
        restarts: Number(restarts),
      };
    } catch (error) {
      if (isGone(error)) return null;
      throw error;
    }
  }

  start(name: UnitName): Promise<JobResult> {
    return this.#job("StartUnit", name);
  }

  async stop(name: UnitName): Promise<JobResult> {
    try {
      return await this.#job("StopUnit", name);
    } catch (error) {
      if (isGone(error)) return "done";
      throw error;
    }
  }

  async reload(): Promise<void> {
    // systemd answers when it has finished reloading.
    await this.#manager("Reload", "", []);
  }

  async resetFailed(name: UnitName): Promise<void> {
    try {
      await this.#manager("ResetFailedUnit", "s", [name]);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
  }

  onChange(wake: () => void, signal: AbortSignal): void {
    this.#wakes.add(wake);
    signal.addEventListener("abort", () => this.#wakes.delete(wake), { once: true });
  }

  journal(name: UnitName, lines: number): Promise<readonly string[]> {
    const words = [...this.#journalPrefix, "journalctl", "--no-pager", "-q", "-o", "cat", "-n", String(lines), "-u", name];
    const [program, ...rest] = words as [string, ...string[]];
    return new Promise((resolve, reject) => {
      execFile(program, rest, { timeout: JOURNAL_TIMEOUT_MS, maxBuffer: JOURNAL_BYTES_MAX }, (error, stdout) => {
        if (error === null) resolve(stdout.split("\n").filter((line) => line !== ""));
        else reject(new OperationError("journal-unreadable", `cannot read the journal of ${name}`, { cause: error }));
      });
    });
  }

  close(): void {
    this.#bus.close();
  }

  async #job(member: "StartUnit" | "StopUnit", name: UnitName): Promise<JobResult> {
    const [job] = await this.#manager(member, "ss", [name, "replace"]);
    return this.#jobs.ended(String(job));
  }

  async #jobExists(job: string): Promise<boolean> {
    try {
      await this.#bus.call({ path: job, interface: PROPERTIES, member: "Get", signature: "ss", body: ["org.freedesktop.systemd1.Job", "State"] });
      return true;
    } catch (error) {
      if (error instanceof BusError) return false;
      throw error;
    }
  }

  #manager(member: string, signature: string, body: readonly unknown[]): Promise<unknown[]> {
    return this.#bus.call({ path: MANAGER_PATH, interface: MANAGER, member, signature, body });
  }

  async #property(name: UnitName, type: string, property: string): Promise<unknown> {
    const [value] = await this.#bus.call({ path: unitPath(name), interface: PROPERTIES, member: "Get", signature: "ss", body: [type, property] });
    return (value as Variant).value;
  }

  #onSignal(message: Message): void {
    if (message.member === "JobRemoved") {
      const [, job, , result] = message.body as [number, string, string, string];
      this.#jobs.removed(job, result);
    }
    this.#wake();
  }

  #wake(): void {
    if (this.#wakePending) return;
    this.#wakePending = true;
    void this.#clock.sleep(WAKE_DELAY_MS).then(() => {
      this.#wakePending = false;
      for (const wake of this.#wakes) wake();
    });
  }
}

const PROPERTIES = "org.freedesktop.DBus.Properties";
const DBUS = { destination: "org.freedesktop.DBus", path: "/org/freedesktop/DBus", interface: "org.freedesktop.DBus" } as const;

/** A unit name as a pattern that matches nothing else. */
function literalPattern(name: string): string {
  return name.replace(/[\\*?[\]]/g, "\\$&");
}

/** The interface with a `Result`, by the unit's type; null for types that have none. */
function typeInterface(name: UnitName): string | null {
  const type = name.slice(name.lastIndexOf(".") + 1);
  const known = new Set(["service", "socket", "timer", "path", "mount", "automount", "swap", "scope"]);
  return known.has(type) ? `org.freedesktop.systemd1.${type[0]?.toUpperCase()}${type.slice(1)}` : null;
}

function isGone(error: unknown): boolean {
  return error instanceof BusError && /\.(NoSuchUnit|UnknownObject)$/.test(error.busName);
}
