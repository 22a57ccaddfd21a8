import type { OwnedUnit } from "../codec/agent-state.ts";
import type { UnitName } from "../domain/names.ts";
import { isHeldBySystemd } from "../domain/tasks/is-held.ts";
import type { ObservedUnit, Task, WantedUnit } from "../domain/tasks/task.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { ManagedUnit, UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "./agent-files.ts";
import { UnitFileSwap } from "./unit-file-swap.ts";
import type { UnitJobs } from "./unit-jobs.ts";

/**
 * How long one pass waits for stops before it goes on without the units that are still stopping. Most stop in milliseconds;
 * one that uses its TimeoutStopSec of 90 s may not hold up its neighbours for longer than this.
 */
const STOP_PATIENCE_MS = 5_000;
/** As long for units that reload themselves: starts come after them. One that takes longer was told, which is what counts. */
const RELOAD_PATIENCE_MS = 5_000;

export interface TaskWorld {
  readonly manager: UnitManager;
  readonly files: AgentFiles;
  readonly clock: Clock;
  readonly jobs: UnitJobs;
}

/** Why a unit could not be brought where it should be, by unit. */
export type TaskProblems = ReadonlyMap<UnitName, { readonly code: string; readonly detail: string }>;

/**
 * Does what was decided, in the order it was decided in: new texts are made ready, then all stops at once, then files take their places,
 * then at most one daemon-reload, then the units' own reloads at once, then starts, queued in order and not waited for here (`jobs` reports
 * when they end). One unit's failure ends its own chain only. `owned` is brought up to date and saved around every change of files, so
 * that a crash in between is seen as one; where what was done cannot be saved, that is the error of the whole, once all is done.
 */
export async function runTasks(
  tasks: readonly Task[],
  wanted: ReadonlyMap<UnitName, WantedUnit>,
  observed: ReadonlyMap<UnitName, ObservedUnit>,
  owned: Map<UnitName, OwnedUnit>,
  world: TaskWorld,
): Promise<TaskProblems> {
  const run = new TaskRun(wanted, observed, owned, world);
  const reloading = unitsOf(tasks, "reload-unit");
  const [removed, written, stopped] = [unitsOf(tasks, "remove"), unitsOf(tasks, "write"), unitsOf(tasks, "stop")];
  await run.stage(removed, written, stopped);
  await run.stop(stopped);
  await run.swapFiles(removed, written);
  await run.setAside(unitsOf(tasks, "set-aside"));
  await run.takeOver(unitsOf(tasks, "takeover"));
  await run.resetFailed(unitsOf(tasks, "reset-failed"));
  for (const task of tasks) if (task.kind === "reload") await run.reload(task.units, new Set(reloading));
  await run.reloadUnits(reloading);
  await run.start(unitsOf(tasks, "start"));
  await run.adopt(unitsOf(tasks, "adopt"));
  if (run.unkept !== null) throw run.unkept;
  return run.problems;
}

function unitsOf(tasks: readonly Task[], kind: Exclude<Task["kind"], "reload">): UnitName[] {
  return tasks.flatMap((task) => (task.kind === kind ? [task.unit] : []));
}

class TaskRun {
  readonly problems = new Map<UnitName, { code: string; detail: string }>();
  readonly #wanted: ReadonlyMap<UnitName, WantedUnit>;
  readonly #observed: ReadonlyMap<UnitName, ObservedUnit>;
  readonly #owned: Map<UnitName, OwnedUnit>;
  readonly #world: TaskWorld;
  /** What cannot be remembered of what was done: everything else is done first. */
  unkept: OperationError | null = null;
  readonly #swap: UnitFileSwap;
  readonly #stopped = new Set<UnitName>();
  #unmarked: OperationError | null = null;

  constructor(
    wanted: ReadonlyMap<UnitName, WantedUnit>,
    observed: ReadonlyMap<UnitName, ObservedUnit>,
    owned: Map<UnitName, OwnedUnit>,
    world: TaskWorld,
  ) {
    this.#wanted = wanted;
    this.#observed = observed;
    this.#owned = owned;
    this.#world = world;
    this.#swap = new UnitFileSwap(wanted, owned, world.files);
  }

  async stop(stopped: readonly UnitName[]): Promise<void> {
    const units = stopped.filter((unit) => this.#alive(unit));
    if (units.length === 0) return;
    for (const unit of units) this.#stopped.add(unit);
    const stops = units.map((unit) => this.#chain(unit, () => this.#stopOne(unit)));
    await this.#patiently(stops, STOP_PATIENCE_MS);
    for (const unit of units) {
      if (!this.#world.jobs.isBusy(unit)) continue;
      const detail = `still stopping after ${STOP_PATIENCE_MS / 1000} s; systemd waits as long as its TimeoutStopSec= says`;
      this.#world.jobs.tooLong(unit, { code: "stopping", detail });
      this.#fail(unit, "stopping", detail);
    }
  }

  async #stopOne(unit: UnitName): Promise<void> {
    const result = await this.#world.jobs.stop(unit, this.#service(unit));
    const owned = this.#owned.get(unit);
    if (owned !== undefined) this.#owned.set(unit, { ...owned, started: null });
    if (result !== "done" && result !== "skipped") this.#fail(unit, "stop-failed", `the stop job ended with ${result}`);
  }

  /** Where the disk is full or read-only, what should change fails here, before anything has stopped, and runs on as it is. */
  async stage(removed: readonly UnitName[], written: readonly UnitName[], stopped: readonly UnitName[]): Promise<void> {
    if (removed.length + written.length === 0) return;
    try {
      await this.#swap.mark(removed, written, new Set(stopped));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#unmarked = error;
      for (const unit of written) this.#fail(unit, error.code, error.message);
      return;
    }
    for (const unit of written) await this.#chain(unit, () => this.#swap.stage(unit));
  }

  async swapFiles(removed: readonly UnitName[], written: readonly UnitName[]): Promise<void> {
    if (removed.length + written.length === 0) return;
    // What has to go has been stopped all the same; its files stay for a pass that can remember that they went.
    if (this.#unmarked !== null) {
      for (const unit of removed) this.#fail(unit, this.#unmarked.code, this.#unmarked.message);
      return;
    }
    const going = removed.filter((unit) => this.#alive(unit));
    const coming = written.filter((unit) => this.#alive(unit));
    for (const unit of [...removed, ...written].filter((unit) => !this.#alive(unit))) {
      await this.#chain(unit, () => this.#swap.abandon(unit, coming));
    }
    for (const unit of going) await this.#chain(unit, () => this.#swap.remove(unit));
    for (const unit of coming) await this.#chain(unit, () => this.#swap.publish(unit));
    const held = await this.#held(coming);
    for (const unit of coming.filter((unit) => this.#alive(unit))) {
      const wanted = this.#wanted.get(unit)!;
      const before = this.#owned.get(unit)!;
      const now = held.get(wanted.service);
      const isUp = now !== undefined && now.active !== "inactive" && now.active !== "failed";
      if (isUp && !this.#runsOn(unit)) {
        this.#fail(unit, "started-meanwhile", "something started it while its files were changed");
      }
      this.#owned.set(unit, {
        ...before,
        onDisk: wanted.hash,
        // Of a quadlet systemd knows what its generator made at the last reload, held or not.
        loaded: now === undefined && unit === wanted.service ? wanted.hash : before.loaded,
      });
    }
    await this.#keepOwned();
  }

  /** Before systemd reads everything again, and after our own files: dying in between, what is left of theirs is found by the next look. */
  async setAside(units: readonly UnitName[]): Promise<void> {
    for (const unit of units.filter((unit) => this.#alive(unit))) {
      for (const path of this.#observed.get(unit)?.changedByHand?.others ?? []) {
        await this.#chain(unit, () => this.#world.files.drifted.setAside(unit, path));
      }
    }
  }

  /**
   * Units somebody else installed. Ours are written before theirs go: whoever makes systemd read everything in between finds one or the
   * other, of the same meaning. Theirs go only after a record of it is on disk, by which a pass that was cut short is finished.
   */
  async takeOver(units: readonly UnitName[]): Promise<void> {
    const taken = units.filter((unit) => this.#alive(unit));
    if (taken.length === 0) return;
    const { files } = this.#world;
    const fresh = taken.filter((unit) => this.#observed.get(unit)?.foreign?.state === "same");
    for (const unit of fresh) {
      await this.#chain(unit, () => files.adopted.begin(unit, this.#observed.get(unit)!.foreign!));
      const { service, files: ours, hash } = this.#wanted.get(unit)!;
      const paths = ours.map(({ path }) => path).sort();
      if (this.#alive(unit))
        this.#owned.set(unit, { service, files: paths, onDisk: null, loaded: hash, started: null });
    }
    if (fresh.length > 0) await files.writeOwned(this.#owned);
    for (const unit of fresh.filter((unit) => this.#alive(unit))) {
      await this.#chain(unit, async () => {
        await this.#swap.stage(unit);
        await this.#swap.publish(unit);
      });
      if (this.#alive(unit)) this.#owned.set(unit, { ...this.#owned.get(unit)!, onDisk: this.#wanted.get(unit)!.hash });
    }
    if (fresh.length > 0) await files.writeOwned(this.#owned);
    for (const unit of taken.filter((unit) => this.#alive(unit))) {
      await this.#chain(unit, () => files.adopted.finish(unit));
    }
  }

  async resetFailed(units: readonly UnitName[]): Promise<void> {
    const resets = units.filter((unit) => this.#alive(unit));
    await Promise.all(
      resets.map((unit) => this.#chain(unit, () => this.#world.manager.resetFailed(this.#service(unit)))),
    );
  }

  /**
   * One daemon-reload, and only if systemd still holds a unit whose files changed under it, or a generator has to make its service. What
   * has yet to reload itself does not count as renewed before it was told to: a crash in between ends in telling it again.
   */
  async reload(units: readonly UnitName[], reloading: ReadonlySet<UnitName>): Promise<void> {
    const changed = units.filter((unit) => this.#alive(unit));
    if (changed.length === 0) return;
    const isGenerated = changed.some((unit) => this.#service(unit) !== unit);
    if (isGenerated || (await this.#held(changed)).size > 0) await this.#world.manager.reload();
    for (const unit of changed) {
      const owned = this.#owned.get(unit);
      if (owned !== undefined && !reloading.has(unit)) this.#owned.set(unit, { ...owned, loaded: owned.onDisk });
    }
    await this.#keepOwned();
  }

  async reloadUnits(units: readonly UnitName[]): Promise<void> {
    const told = units.filter((unit) => this.#alive(unit));
    const reloads = told.map((unit) => this.#chain(unit, () => this.#world.jobs.reload(unit, this.#service(unit))));
    if (reloads.length > 0) await this.#patiently(reloads, RELOAD_PATIENCE_MS);
  }

  /**
   * Queues them in order. What was ordered is remembered once systemd has the order: a crash in between runs a oneshot twice,
   * the other way round it would never run, and what nobody ordered yet would pass for stopped by somebody.
   */
  async start(units: readonly UnitName[]): Promise<void> {
    const starting = units.filter((unit) => this.#alive(unit));
    if (starting.length === 0) return;
    const orders = starting.map((unit) => this.#world.jobs.start(unit, this.#service(unit)));
    const isOrdered = await Promise.all(orders);
    for (const [at, unit] of starting.entries()) {
      const owned = this.#owned.get(unit);
      if (owned !== undefined && isOrdered[at]) this.#owned.set(unit, { ...owned, started: owned.onDisk });
    }
    await this.#keepOwned();
  }

  async adopt(units: readonly UnitName[]): Promise<void> {
    const adopted = units.filter((unit) => this.#alive(unit) && this.#wanted.has(unit));
    if (adopted.length === 0) return;
    for (const unit of adopted) {
      const { service, files, hash, goal } = this.#wanted.get(unit)!;
      const started = goal === "launched" ? hash : null;
      this.#owned.set(unit, {
        service,
        files: files.map((file) => file.path).sort(),
        onDisk: hash,
        loaded: hash,
        started,
      });
    }
    await this.#keepOwned();
  }

  async #keepOwned(): Promise<void> {
    try {
      await this.#world.files.keepOwned(this.#owned);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.unkept = error;
    }
  }

  /** Its change leaves it running: neither down before this pass nor stopped in it. */
  #runsOn(unit: UnitName): boolean {
    return this.#observed.get(unit)?.running != null && !this.#stopped.has(unit);
  }

  async #patiently(acts: readonly Promise<void>[], patienceMs: number): Promise<void> {
    const patience = new AbortController();
    await Promise.race([Promise.all(acts), this.#world.clock.sleep(patienceMs, patience.signal)]);
    patience.abort(null);
  }

  async #held(units: readonly UnitName[]): Promise<Map<UnitName, ManagedUnit>> {
    if (units.length === 0) return new Map();
    const listed = await this.#world.manager.list(units.map((unit) => this.#service(unit)));
    return new Map(listed.filter(isHeldBySystemd).map((unit) => [unit.name, unit]));
  }

  #service(unit: UnitName): UnitName {
    return this.#wanted.get(unit)?.service ?? this.#observed.get(unit)?.service ?? unit;
  }

  #alive(unit: UnitName): boolean {
    return !this.problems.has(unit);
  }

  #fail(unit: UnitName, code: string, detail: string): void {
    if (!this.problems.has(unit)) this.problems.set(unit, { code, detail });
  }

  async #chain(unit: UnitName, act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#fail(unit, error.code, error.message);
    }
  }
}
