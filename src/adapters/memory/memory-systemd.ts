import { compareText, type UnitName } from "../../domain/names.ts";
import { unitNameParts } from "../../domain/unit/unit-name.ts";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { JobResult, ManagedUnit, UnitDetails, UnitSources } from "../../ports/unit-manager.ts";
import type { MemoryFileStore } from "./memory-file-store.ts";
import {
  type HeldUnit,
  isUp,
  jobsBefore,
  reloadCommands,
  requiredBy,
  resultOfType,
  stopsBefore,
  stopsWith,
  UP_SUB_STATES,
} from "./memory-held-unit.ts";
import { HeldUnits } from "./memory-held-units.ts";
import { type JobKind, MemoryJob, waitForOthers } from "./memory-job.ts";
import { behaviourOf, type ProgramBehaviour, type Programs } from "./memory-program.ts";

/** What goes wrong with one job. */
export type JobFault =
  /** It never ends by itself; a later job of the other kind cancels it. */
  | { readonly kind: "hang" }
  /** Nothing happens for so long, then it goes on. */
  | { readonly kind: "delay"; readonly ms: number }
  /** It ends so, and the unit is failed. */
  | { readonly kind: "fail"; readonly result: JobResult };

/** Asked when a job begins; null lets it be. */
export type JobFaults = (unit: UnitName, job: JobKind) => JobFault | null;

export interface RunningUnit {
  /** What it was started with: the fragment and its drop-ins in the order they apply, joined. */
  readonly text: string;
  /** The text by which it last reloaded itself, if it did. */
  readonly reloaded: string | null;
  /** What systemd holds of it now. */
  readonly held: string;
  readonly invocation: string;
}

/**
 * systemd as far as fleet meets it, each law measured on systemd 252 and held against it by the contract suite: a unit is read
 * from disk when it is needed and not held; it is held while it is up, failed, has a job, or a held unit names it (be it in
 * `After=`); what is held changes its text by `reload` alone; what is running never does, but hears of it by a reload of its own.
 * Not modelled: `Restart=`, conditions, readiness (`Type=notify` is ready at once), timers that elapse, generators
 * but podman's, default dependencies.
 */
export class MemorySystemd {
  readonly #clock: Clock;
  readonly #programs: Programs;
  readonly #changed: () => void;
  readonly #units: HeldUnits;
  readonly #journals = new Map<UnitName, readonly string[]>();
  #running: ReadonlyMap<UnitName, RunningUnit> | null = null;
  #invocations = 0;
  /** Faults of jobs to come. */
  faults: JobFaults = () => null;

  /** `changed` is called after every change of a unit's state. */
  constructor(files: MemoryFileStore, clock: Clock, programs: Programs, changed: () => void) {
    this.#units = new HeldUnits(files);
    this.#clock = clock;
    this.#programs = programs;
    this.#changed = changed;
  }

  list(names: readonly UnitName[]): ManagedUnit[] {
    return [...new Set(names)].flatMap((name) => {
      const held = this.#units.get(name);
      return held === undefined ? [] : [{ name, load: held.unit.load, active: held.active, sub: held.sub }];
    });
  }

  details(name: UnitName): UnitDetails {
    const { unit, sinceMs, result, invocation } = this.#units.hold(name);
    const since = sinceMs === null ? "" : new Date(sinceMs).toISOString();
    return { fragmentPath: unit.path, since, result, invocation };
  }

  sources(name: UnitName): UnitSources | null {
    return this.#units.sources(name);
  }

  /** Throws where there is no job to be had. */
  start(name: UnitName): MemoryJob {
    this.#units.mustLoad(name, `starting ${name}`);
    return this.#queueStart(name);
  }

  /** Null where there is nothing to stop. */
  stop(name: UnitName): MemoryJob | null {
    const held = this.#units.hold(name);
    if (held.unit.load !== "not-found" || isUp(held)) return this.#queueStop(name);
    this.#units.collect();
    return null;
  }

  /** Throws where there is no job to be had. */
  reloadUnit(name: UnitName): MemoryJob {
    this.#units.mustLoad(name, `reloading ${name}`);
    const held = this.#units.hold(name);
    const commands = reloadCommands(held);
    if (commands === null) {
      this.#units.collect();
      throw new OperationError("unit-not-reloadable", `Job type reload is not applicable for unit ${name}`);
    }
    if (held.job !== null && held.job.kind !== "stop") return held.job;
    const job = this.#replaceJob(held, "reload");
    void this.#runReload(held, job, commands);
    return job;
  }

  reload(): void {
    this.#units.reload();
    this.#running = null;
    this.#changed();
  }

  resetFailed(name: UnitName): void {
    const held = this.#units.get(name);
    if (held?.active !== "failed") return;
    held.result = resultOfType(name);
    this.#become(held, "inactive", "dead");
    this.#units.collect();
  }

  journal(name: UnitName): readonly string[] {
    return this.#journals.get(name) ?? [];
  }

  /** The same map until something changes. */
  running(): ReadonlyMap<UnitName, RunningUnit> {
    this.#running ??= this.#listRunning();
    return this.#running;
  }

  #listRunning(): ReadonlyMap<UnitName, RunningUnit> {
    const up = this.#units.all().filter((held) => held.runs !== null);
    up.sort((a, b) => compareText(a.name, b.name));
    return new Map(
      up.map(({ name, runs, reloaded, unit, invocation }) => [
        name,
        { text: runs!, reloaded, held: unit.text, invocation },
      ]),
    );
  }

  kill(name: UnitName): void {
    const held = this.#units.get(name);
    if (held !== undefined && held.runs !== null) this.#exited(held, "signal");
  }

  powerOff(): void {
    for (const held of this.#units.all()) {
      held.program?.abort(null);
      held.job?.end("canceled");
    }
    this.#units.clear();
    this.#running = null;
    this.#journals.clear();
  }

  #queueStart(name: UnitName): MemoryJob {
    const held = this.#units.hold(name);
    if (held.job?.kind === "start") return held.job;
    const job = this.#replaceJob(held, "start");
    const { Requires, BindsTo, Wants, Conflicts } = held.unit.names;
    for (const other of [...Requires, ...BindsTo]) this.#queueStart(other);
    for (const other of Wants) if (this.#units.hold(other).unit.load === "loaded") this.#queueStart(other);
    for (const other of Conflicts) if (isUp(this.#units.hold(other))) this.#queueStop(other);
    void this.#runStart(held, job);
    return job;
  }

  #queueStop(name: UnitName): MemoryJob {
    const held = this.#units.hold(name);
    if (held.job?.kind === "stop") return held.job;
    const job = this.#replaceJob(held, "stop");
    for (const other of this.#units.all()) {
      if (stopsWith(other.unit, name) && (isUp(other) || other.job?.kind === "start")) this.#queueStop(other.name);
    }
    void this.#runStop(held, job);
    return job;
  }

  #replaceJob(held: HeldUnit, kind: JobKind): MemoryJob {
    const old = held.job;
    const job = new MemoryJob(held.name, kind);
    held.job = job;
    if (old !== null) old.end("canceled");
    return job;
  }

  async #runStart(held: HeldUnit, job: MemoryJob): Promise<void> {
    await waitForOthers(job, () => jobsBefore(held, this.#units.all()));
    if (job.isOver) return;
    if (held.unit.names.Requisite.some((other) => this.#units.get(other)?.active !== "active")) {
      return this.#endJob(held, job, "dependency");
    }
    if (held.active === "active") return this.#endJob(held, job, "done");
    if (!(await this.#suffer(held, job))) return;
    if (held.unit.triggers.some((other) => this.#units.hold(other).unit.load !== "loaded")) {
      return this.#endJob(held, job, "failed");
    }
    held.invocation = (++this.#invocations).toString(16).padStart(32, "0");
    held.result = resultOfType(held.name);
    held.runs = held.unit.text;
    held.reloaded = null;
    this.#journals.set(held.name, []);
    if (!held.name.endsWith(".service")) {
      this.#become(held, "active", UP_SUB_STATES[unitNameParts(held.name).type] ?? "active");
      return this.#endJob(held, job, "done");
    }
    if (held.unit.oneshot) return this.#runOneshot(held, job);
    this.#become(held, "active", "running");
    this.#endJob(held, job, "done");
    const code = await this.#runProgram(held, held.unit.commands[0]!);
    if (code !== null) this.#exited(held, code === 0 ? "success" : "exit-code");
  }

  async #runOneshot(held: HeldUnit, job: MemoryJob): Promise<void> {
    this.#become(held, "activating", "start");
    for (const command of held.unit.commands) {
      const code = await this.#runProgram(held, command);
      if (code === null) return;
      if (code === 0 || command.startsWith("-")) continue;
      this.#exited(held, "exit-code");
      return;
    }
    if (held.unit.remainAfterExit) this.#become(held, "active", "exited");
    else this.#down(held, "inactive", "dead");
    this.#endJob(held, job, "done");
  }

  /** The exit code of a program that ended by itself; null where it was ended. */
  async #runProgram(held: HeldUnit, command: string): Promise<number | null> {
    const { runsMs, code, says }: ProgramBehaviour = this.#programs(command) ?? behaviourOf(command);
    const program = new AbortController();
    held.program = program;
    this.#journals.set(held.name, [...(this.#journals.get(held.name) ?? []), ...says]);
    if (runsMs === null) return null;
    await this.#clock.sleep(runsMs, program.signal);
    return program.signal.aborted ? null : code;
  }

  /** Its program has ended without our stopping it. */
  #exited(held: HeldUnit, result: string): void {
    held.result = result;
    if (result === "success" && held.unit.remainAfterExit) {
      this.#become(held, "active", "exited");
      return;
    }
    if (result === "success") this.#down(held, "inactive", "dead");
    else this.#down(held, "failed", "failed");
    if (held.job !== null && held.job.kind !== "stop") this.#endJob(held, held.job, "failed");
    for (const other of this.#units.all()) {
      if (isUp(other) && other.unit.names.BindsTo.includes(held.name)) this.#queueStop(other.name);
    }
    this.#units.collect();
  }

  async #runStop(held: HeldUnit, job: MemoryJob): Promise<void> {
    await waitForOthers(job, () => stopsBefore(held, this.#units.all()));
    if (job.isOver) return;
    if (isUp(held)) {
      if (!(await this.#suffer(held, job))) return;
      // A oneshot's program that is ended before its time has failed; a server's has done as told.
      if (held.active === "activating" && held.runs !== null) {
        held.result = "signal";
        this.#down(held, "failed", "failed");
      } else this.#down(held, "inactive", "dead");
    }
    this.#endJob(held, job, "done");
  }

  async #runReload(held: HeldUnit, job: MemoryJob, commands: readonly string[]): Promise<void> {
    await waitForOthers(job, () => jobsBefore(held, this.#units.all()));
    if (job.isOver) return;
    if (held.active !== "active") return this.#endJob(held, job, "invalid");
    const { sub } = held;
    const fault = this.faults(held.name, "reload");
    this.#become(held, "reloading", "reload");
    if (fault?.kind === "hang") await job.ended;
    if (fault?.kind === "delay") await this.#clock.sleep(fault.ms);
    if (job.isOver) return;
    const ends = commands.map((command) => {
      const { code, says } = this.#programs(command) ?? behaviourOf(command);
      this.#journals.set(held.name, [...this.journal(held.name), ...says]);
      return code;
    });
    held.reloaded = held.unit.text;
    this.#become(held, "active", sub);
    const failed = fault?.kind === "fail" ? fault.result : "failed";
    this.#endJob(held, job, fault?.kind === "fail" || ends.some((code) => code !== 0) ? failed : "done");
  }

  /** What `faults` has for this job; false where the job is over by it. */
  async #suffer(held: HeldUnit, job: MemoryJob): Promise<boolean> {
    const fault = this.faults(held.name, job.kind);
    if (fault === null) return true;
    if (fault.kind === "fail") {
      held.result = "exit-code";
      this.#down(held, "failed", "failed");
      this.#endJob(held, job, fault.result);
      return false;
    }
    this.#become(
      held,
      job.kind === "start" ? "activating" : "deactivating",
      job.kind === "start" ? "start-pre" : "stop",
    );
    if (fault.kind === "hang") await job.ended;
    else await this.#clock.sleep(fault.ms);
    return !job.isOver;
  }

  #endJob(held: HeldUnit, job: MemoryJob, result: JobResult): void {
    if (job.isOver) return;
    job.end(result);
    if (held.job === job) held.job = null;
    if (job.kind === "start" && result !== "done") {
      for (const other of this.#units.all()) {
        if (other.job?.kind === "start" && requiredBy(other.unit).includes(held.name)) {
          this.#endJob(other, other.job, "dependency");
        }
      }
    }
    this.#units.collect();
    this.#changed();
  }

  #down(held: HeldUnit, active: "inactive" | "failed", sub: string): void {
    held.program?.abort(null);
    held.program = null;
    held.runs = null;
    this.#become(held, active, sub);
  }

  #become(held: HeldUnit, active: HeldUnit["active"], sub: string): void {
    if (held.active !== active) held.sinceMs = this.#clock.wallMs();
    held.active = active;
    held.sub = sub;
    this.#running = null;
    this.#changed();
  }
}
