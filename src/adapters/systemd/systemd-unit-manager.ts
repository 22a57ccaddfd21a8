import type { UnitName } from "../../domain/names.ts";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type {
  JobResult,
  ManagedUnit,
  UnitDetails,
  UnitManager,
  UnitNews,
  UnitSources,
} from "../../ports/unit-manager.ts";
import { JobWaiters } from "./job-waiters.ts";
import { type Exec, execProgram, readJournal } from "./read-journal.ts";
import { SYSTEM_BUS, SYSTEMD_PATH, SystemBus, type SystemdCall } from "./system-bus.ts";
import { isNoSuchUnit, systemdRefusal } from "./systemd-refusal.ts";
import { CHECK_UNITS } from "./transient-check.ts";
import { readStart, readUnitDetails, readUnitSources } from "./unit-details.ts";

type JobCall = "StartUnit" | "StopUnit" | "ReloadUnit";

/** Objects of the units of health checks, and of their slice: they come and go all the time, and are no units of a set. */
const CHECK_OBJECTS = `${SYSTEMD_PATH}/unit/fleet_2dhealth`;
/**
 * Up to this many names are asked for by name. systemd holds each unit against each pattern: beyond it, taking all units and
 * choosing here is cheaper for PID 1, which answers nobody else meanwhile.
 */
const PATTERNS_MAX = 64;
/**
 * With so many jobs of ours under way, the states units go through are not listened to until half of them have ended: each is eight
 * signals to parse, a tenth of a millisecond each, and the end of its job is the news. What else happens meanwhile is seen by the look
 * that follows, and by those that need no signal.
 */
const STORM_JOBS = 16;

export interface SystemdOptions {
  readonly clock: Clock;
  /** A D-Bus address; the system's bus where not given. */
  readonly address?: string;
  /** Runs journalctl; on this machine where not given. */
  readonly exec?: Exec;
}

/** One machine's systemd over D-Bus. */
export class SystemdUnitManager implements UnitManager {
  readonly #bus: SystemBus;
  readonly #jobs: JobWaiters;
  readonly #exec: Exec;
  readonly #wakes = new Set<(what: UnitNews) => void>();
  #news: UnitNews | null = null;
  #jobsUnderWay = 0;

  constructor({ clock, address = SYSTEM_BUS, exec = execProgram }: SystemdOptions) {
    this.#exec = exec;
    this.#bus = new SystemBus(address, clock, {
      signal: (member, message) => this.#signal(member, message),
      lost: (error) => {
        this.#jobs.lost(error);
        this.#wakeSoon("definitions");
      },
    });
    this.#jobs = new JobWaiters(clock, () => this.#listJobs());
  }

  /** Not ListUnitsByNames: that loads the file of each name systemd does not hold, and lists it as if it were held. */
  async list(names: readonly UnitName[]): Promise<readonly ManagedUnit[]> {
    if (names.length === 0) return [];
    // A unit's name holds no wildcard, and systemd's patterns know no escapes: a name is its own pattern.
    const patterns = names.length <= PATTERNS_MAX ? [...new Set(names)] : [];
    const call = { member: "ListUnitsByPatterns", signature: "asas", body: [[], patterns] };
    const [rows] = await this.#call(`listing ${names.length} units`, call);
    const asked = new Set(names);
    return (rows as readonly (readonly [UnitName, string, string, string, string])[])
      .filter(([name]) => asked.has(name))
      .map(([name, , load, active, sub]) => ({ name, load, active, sub }));
  }

  details(unit: ManagedUnit): Promise<UnitDetails> {
    return readUnitDetails(unit, (call) => this.#call(`reading ${unit.name}`, call));
  }

  async sources(name: UnitName): Promise<UnitSources | null> {
    const path = await this.#held(name);
    if (path === null) return null;
    return readUnitSources(path, (call) => this.#call(`reading ${name}`, call));
  }

  start(name: UnitName, queued?: () => void): Promise<JobResult> {
    return this.#job(`starting ${name}`, "StartUnit", name, queued);
  }

  async stop(name: UnitName): Promise<JobResult> {
    try {
      return await this.#job(`stopping ${name}`, "StopUnit", name);
    } catch (error) {
      // Neither held nor on disk: it does not run, which is all that was asked.
      if (error instanceof OperationError && error.code === "unit-not-found") return "done";
      throw error;
    }
  }

  reloadUnit(name: UnitName): Promise<JobResult> {
    return this.#job(`reloading ${name}`, "ReloadUnit", name);
  }

  /** The reply comes when it is over (systemd sends it after Reloading(false)); others' calls wait as long. */
  async reload(): Promise<void> {
    await this.#call("daemon-reload", { member: "Reload" });
  }

  async resetFailed(name: UnitName): Promise<void> {
    try {
      await this.#bus.call({ member: "ResetFailedUnit", signature: "s", body: [name] });
    } catch (error) {
      if (!isNoSuchUnit(error)) throw systemdRefusal(`resetting ${name}`, error);
    }
  }

  onChange(wake: (what: UnitNews) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#wakes.add(wake);
    signal.addEventListener("abort", () => this.#wakes.delete(wake), { once: true });
  }

  async journal(name: UnitName, lines: number): Promise<readonly string[]> {
    const path = await this.#held(name);
    const started = path === null ? 0n : await readStart(path, (call) => this.#call(`reading ${name}`, call));
    return readJournal(this.#exec, name, started, lines);
  }

  close(): void {
    this.#wakes.clear();
    this.#bus.close();
    this.#jobs.lost(new OperationError("systemd-unreachable", "the connection to systemd was closed"));
  }

  async #job(doing: string, member: JobCall, name: UnitName, queued?: () => void): Promise<JobResult> {
    const queue = async (): Promise<string> => {
      const [job] = await this.#call(doing, { member, signature: "ss", body: [name, "replace"] });
      queued?.();
      return job as string;
    };
    if (++this.#jobsUnderWay === STORM_JOBS) void this.#bus.hearUnits(false);
    try {
      return await this.#jobs.run(queue, () => this.#judge(member, name));
    } finally {
      if (--this.#jobsUnderWay === STORM_JOBS / 2) void this.#bus.hearUnits(true).then(() => this.#wakeSoon("units"));
    }
  }

  async #judge(member: JobCall, name: UnitName): Promise<JobResult> {
    const [unit] = await this.list([name]);
    const active = unit?.active ?? "inactive";
    if (member === "StopUnit") return active === "inactive" || active === "failed" ? "done" : "failed";
    return active === "failed" ? "failed" : "done";
  }

  async #listJobs(): Promise<ReadonlySet<string>> {
    const [rows] = await this.#call("listing jobs", { member: "ListJobs" });
    return new Set((rows as readonly (readonly unknown[])[]).map((row) => row[4] as string));
  }

  /** The object of a unit that is held: merely touching the object of another one would load it. */
  async #held(name: UnitName): Promise<string | null> {
    try {
      const [path] = await this.#bus.call({ member: "GetUnit", signature: "s", body: [name] });
      return path as string;
    } catch (error) {
      if (isNoSuchUnit(error)) return null;
      throw systemdRefusal(`looking for ${name}`, error);
    }
  }

  async #call(doing: string, call: SystemdCall): Promise<readonly unknown[]> {
    try {
      return await this.#bus.call(call);
    } catch (error) {
      throw systemdRefusal(doing, error);
    }
  }

  /** What a unit's signal says is not read: the look that follows it sees it. */
  #signal(member: string, message: { readonly path: string; body(): readonly unknown[] }): void {
    if (message.path.startsWith(CHECK_OBJECTS)) return;
    if (member === "JobRemoved") {
      const [, job, unit, result] = message.body();
      this.#jobs.ended(String(job), String(result));
      if (String(unit).startsWith(CHECK_UNITS)) return;
    }
    this.#wakeSoon(member === "Reloading" ? "definitions" : "units");
  }

  /** Signals that came together wake once. */
  #wakeSoon(what: UnitNews): void {
    if (this.#wakes.size === 0) return;
    const isPending = this.#news !== null;
    if (!isPending || what === "definitions") this.#news = what;
    if (isPending) return;
    setImmediate(() => {
      const news = this.#news ?? what;
      this.#news = null;
      for (const wake of [...this.#wakes]) wake(news);
    });
  }
}
