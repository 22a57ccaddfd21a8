import type { UnitName } from "../../domain/names.ts";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  JOB_WAIT_MS,
  type JobResult,
  type ManagedUnit,
  type UnitDetails,
  type UnitManager,
  type UnitNews,
  type UnitSources,
} from "../../ports/unit-manager.ts";
import type { MemoryFileStore } from "./memory-file-store.ts";
import type { MemoryJob } from "./memory-job.ts";
import type { Programs } from "./memory-program.ts";
import { type JobFaults, MemorySystemd, type RunningUnit } from "./memory-systemd.ts";

export interface MemoryUnitManagerOptions {
  /** The machine's disk; units are read from /etc/systemd/system and /run/systemd/system on it. */
  readonly files: MemoryFileStore;
  readonly clock: Clock;
  /** What programs do, where it is not what their names say. */
  readonly programs?: Programs;
  /** Told after every change of a unit, whoever can reach systemd then: for checkers. */
  readonly observed?: () => void;
}

/** A machine's systemd in memory, and the faults of the way to it. One per machine: daemons of it come and go. */
export class MemoryUnitManager implements UnitManager {
  readonly #files: MemoryFileStore;
  readonly #clock: Clock;
  readonly #systemd: MemorySystemd;
  readonly #wakes = new Set<(what: UnitNews) => void>();
  readonly #waiting = new Set<(error: OperationError) => void>();
  #news: UnitNews | null = null;
  #reachable = true;
  #reloads = 0;
  /** How long a daemon-reload takes. */
  reloadMs = 0;

  constructor({ files, clock, programs = () => null, observed = () => undefined }: MemoryUnitManagerOptions) {
    this.#files = files;
    this.#clock = clock;
    this.#systemd = new MemorySystemd(files, clock, programs, () => {
      this.#changed();
      observed();
    });
  }

  async list(names: readonly UnitName[]): Promise<readonly ManagedUnit[]> {
    await this.#reach();
    return this.#systemd.list(names);
  }

  async details(unit: ManagedUnit): Promise<UnitDetails> {
    await this.#reach();
    return this.#systemd.details(unit.name);
  }

  async sources(name: UnitName): Promise<UnitSources | null> {
    await this.#reach();
    return this.#systemd.sources(name);
  }

  async start(name: UnitName, queued?: () => void): Promise<JobResult> {
    await this.#reach();
    const job = this.#systemd.start(name);
    queued?.();
    return this.#wait(job);
  }

  async stop(name: UnitName): Promise<JobResult> {
    await this.#reach();
    const job = this.#systemd.stop(name);
    return job === null ? "done" : this.#wait(job);
  }

  async reloadUnit(name: UnitName): Promise<JobResult> {
    await this.#reach();
    return this.#wait(this.#systemd.reloadUnit(name));
  }

  async reload(): Promise<void> {
    await this.#reach();
    if (this.reloadMs > 0) {
      await this.#clock.sleep(this.reloadMs);
      await this.#reach();
    }
    this.#reloads++;
    this.#changed("definitions");
    this.#systemd.reload();
  }

  async resetFailed(name: UnitName): Promise<void> {
    await this.#reach();
    this.#systemd.resetFailed(name);
  }

  onChange(wake: (what: UnitNews) => void, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#wakes.add(wake);
    signal.addEventListener("abort", () => this.#wakes.delete(wake), { once: true });
  }

  async journal(name: UnitName, lines: number): Promise<readonly string[]> {
    await this.#reach();
    return this.#systemd.journal(name).slice(-lines);
  }

  /** The daemon that used it is gone: nobody is woken, nobody waits; systemd goes on. */
  close(): void {
    this.#wakes.clear();
    this.#dropWaiters();
  }

  /** What has a program running or counts as up, by name: for checkers, who see what systemd runs and not what it holds. */
  running(): ReadonlyMap<UnitName, RunningUnit> {
    return this.#systemd.running();
  }

  /** Daemon-reloads so far. */
  get reloads(): number {
    return this.#reloads;
  }

  /** Faults of jobs to come. */
  set faults(faults: JobFaults) {
    this.#systemd.faults = faults;
  }

  /** A unit's program dies by a signal. */
  kill(name: UnitName): void {
    this.#systemd.kill(name);
  }

  /** D-Bus goes away (listeners wake, who waits hears `systemd-unreachable`, jobs go on unseen) or comes back, in silence. */
  setReachable(reachable: boolean): void {
    if (!reachable) {
      this.#changed("definitions");
      this.#dropWaiters();
    }
    this.#reachable = reachable;
  }

  /** Power off and on: nothing runs, nothing is held, and the disk has lost what was not synced and all of /run. */
  powerOff(): void {
    this.#systemd.powerOff();
    this.close();
    this.#files.powerOff();
  }

  async #reach(): Promise<void> {
    await Promise.resolve();
    if (!this.#reachable) throw unreachable();
  }

  #dropWaiters(): void {
    for (const reject of [...this.#waiting]) reject(unreachable());
  }

  /** A job's result, as one who listens hears it. */
  #wait(job: MemoryJob): Promise<JobResult> {
    const patience = new AbortController();
    return new Promise<JobResult>((resolve, reject) => {
      const lost = (error: OperationError): void => {
        this.#waiting.delete(lost);
        patience.abort(null);
        reject(error);
      };
      const settle = (result: JobResult): void => {
        this.#waiting.delete(lost);
        patience.abort(null);
        resolve(result);
      };
      this.#waiting.add(lost);
      void job.ended.then(settle);
      void this.#clock.sleep(JOB_WAIT_MS, patience.signal).then(() => {
        if (!patience.signal.aborted) settle("timeout-waiting");
      });
    });
  }

  #changed(what: UnitNews = "units"): void {
    if (!this.#reachable) return;
    const isPending = this.#news !== null;
    if (!isPending || what === "definitions") this.#news = what;
    if (isPending) return;
    queueMicrotask(() => {
      const news = this.#news ?? what;
      this.#news = null;
      for (const wake of [...this.#wakes]) wake(news);
    });
  }
}

function unreachable(): OperationError {
  return new OperationError("systemd-unreachable", "systemd cannot be reached over D-Bus");
}
