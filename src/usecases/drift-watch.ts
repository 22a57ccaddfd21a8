import type { OwnedUnit } from "../codec/agent-state.ts";
import type { DriftPolicy } from "../domain/drift/drift-policy.ts";
import {
  afterCorrection,
  afterNewOrder,
  type DriftMemory,
  judgeDrift,
  reportDrift,
} from "../domain/drift/judge-drift.ts";
import { type DriftSeen, printDrift, type UnitDrift } from "../domain/drift/unit-drift.ts";
import type { UnitName } from "../domain/names.ts";
import { isOrdered } from "../domain/tasks/is-ordered.ts";
import { leadersOf } from "../domain/tasks/stopped-with.ts";
import type { ObservedUnit, Task, WantedUnit } from "../domain/tasks/task.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, warning } from "../ports/log.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import type { AgentFiles } from "./agent-files.ts";
import { AS_FOUND, asFound } from "./as-found.ts";
import type { FileDrift, WrittenUnit } from "./drifted-files.ts";
import type { Observation } from "./observe-units.ts";
import type { TaskProblems } from "./run-tasks.ts";

/** How often files are looked at although systemd was not made to read them: as often as the agent looks at its units. */
const LOOK_MS = 5_000;
/** A look costs 20 µs of CPU a file (measured): with many of them it waits longer, so that it stays at a thousandth of a core. */
const LOOK_MS_PER_UNIT = 20;

export interface DriftPass {
  readonly wanted: readonly WantedUnit[];
  /** As it is, and brought up to date where it is found that something else runs than was written. */
  readonly owned: Map<UnitName, OwnedUnit>;
  readonly seen: ReadonlyMap<UnitName, Observation>;
  /** With a job of ours under way, or held: nothing is said of what it is by now. */
  isBusy(unit: UnitName): boolean;
  /** A job of ours ended badly: that it is down is a failure. */
  hasFailed(unit: UnitName): boolean;
  /** What is remembered of a service may not be so any more: systemd is to be asked again. */
  askAgain(service: UnitName): void;
}

export interface DriftJudgement {
  /** Left as they are: no task of this pass is theirs. */
  readonly left: ReadonlySet<UnitName>;
  /** As they are to be acted on: what differs counts as not written. */
  readonly observed: ReadonlyMap<UnitName, ObservedUnit>;
  /** What the files say of those that run as somebody else wrote them. */
  readonly drifts: ReadonlyMap<UnitName, FileDrift>;
}

/** What others changed of this machine's units: looks at it now and then, has it judged, and remembers what came of it. */
export class DriftWatch {
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #memory = new Map<UnitName, DriftMemory>();
  readonly #reports = new Map<UnitName, UnitDrift>();
  /** Down with another one that is left so: to start them would start that one. */
  #heldDown: ReadonlySet<UnitName> = new Set();
  #files: ReadonlyMap<UnitName, FileDrift> = new Map();
  #lookAtMs = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, log: Log) {
    this.#clock = clock;
    this.#log = log;
  }

  /** systemd may have read its files again: whoever made it has most likely changed some. */
  lookSoon(): void {
    this.#lookAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Another set is in force on this machine: what was given up is tried anew. */
  newOrder(): void {
    for (const [unit, memory] of this.#memory) this.#memory.set(unit, afterNewOrder(memory));
    // What others have for units that are new here is known before those are started.
    this.lookSoon();
  }

  async judge(pass: DriftPass, manager: UnitManager, files: AgentFiles): Promise<DriftJudgement> {
    const stopped = new Set(pass.wanted.filter((unit) => isStopped(unit, pass)).map(({ name }) => name));
    // Before it is started again: it may have been edited first.
    if ([...stopped].some((unit) => this.#memory.get(unit)?.isThere !== true)) this.lookSoon();
    await this.#look(pass, files);
    this.#heldDown = this.#withThoseLeftDown(pass.wanted.filter(({ name }) => stopped.has(name)));
    const now = { monotonicMs: this.#clock.monotonicMs(), wall: new Date(this.#clock.wallMs()).toISOString() };
    const left = new Set<UnitName>();
    const observed = new Map<UnitName, ObservedUnit>();
    const drifts = new Map<UnitName, FileDrift>();
    for (const unit of pass.wanted) {
      const { name } = unit;
      const owned = pass.owned.get(name);
      if (pass.isBusy(name) || (owned === undefined && !isNew(unit, pass))) continue;
      const policy = this.#policyOf(unit);
      const drift = this.#files.get(name) ?? null;
      const seen: DriftSeen[] = (drift?.changes ?? []).map(({ kind, path }) => ({ kind, path }));
      if (stopped.has(name)) seen.push({ kind: "stopped" });
      // Its files are being put back, which has not succeeded yet.
      if (seen.length === 0 && owned?.onDisk === null) continue;
      const verdict = judgeDrift(policy, seen, this.#memory.get(name) ?? null, now);
      if (verdict.memory === null) this.#memory.delete(name);
      else this.#memory.set(name, verdict.memory);
      if (seen.length === 0) continue;
      if (!verdict.correct && !isOrdered(unit, owned ?? NOTHING_DONE)) {
        left.add(name);
        continue;
      }
      if (drift === null) continue;
      // What others wrote stays theirs, unless it is to be as the commit says.
      const touched = policy === "correct" ? drift : { ...drift, others: [] };
      const found = await asFound(pass.seen.get(name)!, touched, manager);
      observed.set(name, found);
      if (found.onDisk !== AS_FOUND || owned === undefined) continue;
      drifts.set(name, drift);
      // On disk before anything is done about it: dying in between, the next one must not take what runs for ours.
      pass.owned.set(name, { ...owned, loaded: AS_FOUND, started: owned.started === null ? null : AS_FOUND });
    }
    this.#forget(pass);
    return { left, observed, drifts };
  }

  /** What became of what was found: whose tasks were done is as it should be. */
  settle(pass: DriftPass, tasks: readonly Task[], problems: TaskProblems): void {
    const units = new Map(pass.wanted.map((unit) => [unit.name, unit]));
    const files = new Map(this.#files);
    for (const name of new Set(tasks.flatMap((task) => (task.kind === "reload" ? [] : [task.unit])))) {
      const [unit, memory] = [units.get(name), this.#memory.get(name)];
      if (problems.has(name) || unit === undefined) continue;
      if (memory?.isThere === true) this.#settleOne(unit, memory, pass);
      files.delete(name);
    }
    this.#files = files;
    this.#report(pass);
  }

  #settleOne(unit: WantedUnit, memory: DriftMemory, pass: DriftPass): void {
    if (this.#policyOf(unit) !== "correct") {
      this.#memory.delete(unit.name);
      return;
    }
    const counts = memory.seen.some(({ kind }) => kind !== "stopped") || !isFollower(unit, pass.wanted);
    this.#memory.set(unit.name, afterCorrection(memory, this.#clock.monotonicMs(), counts));
  }

  /** What is to be told of each unit, for its status. */
  reports(): ReadonlyMap<UnitName, UnitDrift> {
    return new Map(this.#reports);
  }

  #policyOf({ name, drift = "correct" }: WantedUnit): DriftPolicy {
    return drift === "correct" && this.#heldDown.has(name) ? "detect" : drift;
  }

  #withThoseLeftDown(stopped: readonly WantedUnit[]): ReadonlySet<UnitName> {
    const isLeft = ({ name, drift = "correct" }: WantedUnit) =>
      drift !== "correct" || this.#memory.get(name)?.givenUp === true;
    const down = new Set(stopped.filter(isLeft).flatMap(({ name, service }) => [name, service]));
    const held = new Set<UnitName>();
    let open = down.size === 0 ? [] : stopped.filter((unit) => !isLeft(unit));
    for (let found = open; found.length > 0; ) {
      found = open.filter((unit) => leadersOf(unit).some((leader) => down.has(leader)));
      for (const { name, service } of found) {
        held.add(name);
        down.add(name).add(service);
      }
      open = open.filter(({ name }) => !held.has(name));
    }
    return held;
  }

  async #look(pass: DriftPass, files: AgentFiles): Promise<void> {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#lookAtMs) return;
    const written: WrittenUnit[] = [];
    for (const unit of pass.wanted) {
      const { name, service, hash, files: texts } = unit;
      const owned = pass.owned.get(name);
      if (owned === undefined && !isNew(unit, pass)) continue;
      // Of a write that was cut short, or is to come, every file of ours is written: only others' are looked for.
      const onDisk = owned?.onDisk ?? null;
      const asWritten = onDisk === null || onDisk === hash ? texts : (await files.readUnit(onDisk))?.files;
      if (asWritten !== undefined) written.push({ name, service, files: asWritten, isWhole: onDisk !== null });
    }
    const before = files.drifted.shadows;
    this.#files = await files.drifted.look(written, this.#clock.wallMs());
    // systemd's word on which file it has read is asked for where a unit's state is new, and this changes none.
    for (const service of new Set([...before, ...files.drifted.shadows])) pass.askAgain(service);
    this.#lookAtMs = nowMs + Math.max(LOOK_MS, LOOK_MS_PER_UNIT * written.length);
  }

  #forget({ wanted }: DriftPass): void {
    const names = new Set(wanted.map(({ name }) => name));
    for (const unit of this.#memory.keys()) if (!names.has(unit)) this.#memory.delete(unit);
  }

  #report(pass: DriftPass): void {
    const units = new Map(pass.wanted.map((unit) => [unit.name, unit]));
    for (const unit of [...this.#reports.keys()]) if (!this.#memory.has(unit)) this.#reports.delete(unit);
    for (const [name, memory] of this.#memory) {
      const before = this.#reports.get(name);
      const report = reportDrift(this.#policyOf(units.get(name)!), memory);
      const isNews = before?.outcome !== report.outcome || before.corrected < report.corrected;
      if (isNews)
        this.#log(
          warning(`drift of ${name}: ${printDrift(report.seen)}: ${report.outcome}, ${report.corrected} times`, name),
        );
      this.#reports.set(name, report);
    }
  }
}

const NOTHING_DONE = { onDisk: null, started: null } as const;

/** Neither fleet's nor held by systemd: it is about to be written for the first time. */
function isNew({ name }: WantedUnit, { owned, seen }: DriftPass): boolean {
  return !owned.has(name) && (seen.get(name)?.observed.systemd ?? null) === null;
}

/** Down without having failed, though it is to run and was started: by hand, by its own end, or with another unit. */
function isStopped(unit: WantedUnit, { owned, seen, isBusy, hasFailed }: DriftPass): boolean {
  const ours = owned.get(unit.name);
  if (unit.goal !== "launched" || unit.oneshot || ours === undefined || isOrdered(unit, ours)) return false;
  if (isBusy(unit.name) || hasFailed(unit.name)) return false;
  const active = seen.get(unit.name)?.managed?.active ?? "inactive";
  return active === "inactive";
}

/** Whether systemd stops it when it stops another unit of this machine's set. */
function isFollower(unit: WantedUnit, wanted: readonly WantedUnit[]): boolean {
  const leaders = leadersOf(unit);
  return wanted.some(({ name, service }) => leaders.includes(name) || leaders.includes(service));
}
