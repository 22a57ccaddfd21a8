import type { OwnedUnit } from "../codec/agent-state.ts";
import type { UnitDrift } from "../domain/drift/unit-drift.ts";
import type { UnitName } from "../domain/names.ts";
import { planTasks } from "../domain/tasks/plan-tasks.ts";
import type { Blocked, ObservedUnit, Task, WantedUnit } from "../domain/tasks/task.ts";
import type { AgentFiles } from "./agent-files.ts";
import type { DriftPass, DriftWatch } from "./drift-watch.ts";
import { knownEffects } from "./known-effects.ts";
import { observeForeign } from "./observe-foreign.ts";
import { type DetailsCache, type Observation, observeUnits } from "./observe-units.ts";
import { runTasks, type TaskProblems, type TaskWorld } from "./run-tasks.ts";
import type { UnitJobs } from "./unit-jobs.ts";

export interface ReconcileWorld extends TaskWorld {
  /** The memory between passes. */
  readonly details: DetailsCache;
  readonly drift: DriftWatch;
}

export interface Reconciled {
  /** As it was left. */
  readonly seen: ReadonlyMap<UnitName, Observation>;
  readonly tasks: readonly Task[];
  readonly blocked: readonly Blocked[];
  readonly problems: TaskProblems;
  /** What is to be told of units that others changed. */
  readonly drift: ReadonlyMap<UnitName, UnitDrift>;
}

/**
 * One pass: looks at every unit that is wanted here or is ours, decides, acts, and looks again where it acted. Units in `missing`, and
 * those with a job under way, are left as they are; only what has to go is also stopped while it starts. Wanting null is knowing nothing: then nothing is touched at all.
 */
export async function reconcileUnits(
  wanted: readonly WantedUnit[] | null,
  missing: ReadonlySet<UnitName>,
  world: ReconcileWorld,
): Promise<Reconciled> {
  const { manager, files, jobs, details, drift, clock } = world;
  const owned = await files.readOwned();
  const isBusy = (unit: UnitName) => jobs.isBusy(unit);
  const before = await observeUnits(manager, wanted ?? [], owned, details, isBusy);
  if (wanted === null) return { seen: before, tasks: [], blocked: [], problems: new Map(), drift: new Map() };
  const byName = new Map(wanted.map((unit) => [unit.name, unit]));
  const isFree = ({ name }: { readonly name: UnitName }) => !missing.has(name) && !jobs.isBusy(name);
  // Whoever it must not meet may be starting in this pass: what has to go is not left to finish its start first.
  const mustGo = ({ name, systemd }: ObservedUnit) =>
    !byName.has(name) && !missing.has(name) && jobs.isStarting(name) && systemd !== null;
  const observed = new Map(
    [...before].map(([name, seen]) => [name, mustGo(seen.observed) ? onItsWayUp(seen.observed) : seen.observed]),
  );
  for (const [name, { managed }] of before) if (managed?.active === "active") jobs.seenUp(name);
  const foreign = await observeForeign(wanted, before, manager, files.adopted, details);
  for (const [name, found] of foreign) observed.set(name, { ...observed.get(name)!, foreign: found });
  const mayBeElsewhere = [...observed.values()].filter((unit) => isNotHere(unit) && byName.has(unit.name));
  const elsewhere = await files.adopted.definedElsewhere(mayBeElsewhere);
  for (const unit of mayBeElsewhere) {
    const definedElsewhere = elsewhere.get(unit.name);
    if (definedElsewhere !== undefined) observed.set(unit.name, { ...unit, definedElsewhere });
  }
  for (const unit of [...observed.values()].filter(isMasked)) {
    if (!(await files.adopted.isGone(unit.systemd!.fragmentPath))) continue;
    observed.set(unit.name, { ...unit, systemd: { ...unit.systemd!, maskGone: true } });
    details.delete(unit.service);
  }
  const pass: DriftPass = {
    wanted: wanted.filter(({ name }) => !isOthers(observed.get(name))),
    owned,
    seen: before,
    isBusy: (unit) => missing.has(unit) || isBusy(unit),
    hasFailed: (unit) => jobs.failure(unit) !== null,
    askAgain: (service) => details.delete(service),
  };
  const judgement = await drift.judge(pass, manager, files);
  for (const [name, unit] of judgement.observed) observed.set(name, { ...observed.get(name)!, ...unit });
  const effectOf = await knownEffects(wanted, observed.values(), files, judgement.drifts);
  const isOurs = (unit: { readonly name: UnitName }) => isFree(unit) && !judgement.left.has(unit.name);
  const free = [...observed.values()].filter((unit) => isOurs(unit) || mustGo(unit));
  const { tasks: planned, blocked } = planTasks(wanted.filter(isOurs), free, effectOf);
  const tasks = planned.filter((task) => isDue(task, jobs, clock.monotonicMs()));
  if (tasks.length === 0) {
    drift.settle(pass, [], new Map());
    await sweepDelivered(wanted, missing, owned, files);
    return { seen: before, tasks, blocked, problems: new Map(), drift: drift.reports() };
  }
  const problems = await runTasks(tasks, byName, observed, owned, world);
  for (const task of tasks) {
    if (task.kind !== "reload") details.delete(byName.get(task.unit)?.service ?? task.unit);
  }
  drift.settle(pass, tasks, problems);
  await sweepDelivered(wanted, missing, owned, files);
  const after = await observeUnits(manager, wanted, owned, details, isBusy);
  return { seen: after, tasks, blocked, problems, drift: drift.reports() };
}

/** What units read that were here before a reboot and did not come back: nobody owns them any more who would remove it. */
async function sweepDelivered(
  wanted: readonly WantedUnit[],
  missing: ReadonlySet<UnitName>,
  owned: ReadonlyMap<UnitName, OwnedUnit>,
  { delivered }: AgentFiles,
): Promise<void> {
  // Of what is not known it cannot be said what it reads.
  if (missing.size > 0) return;
  await delivered.sweep(() => {
    const kept = new Set([...owned.values()].flatMap(({ files }) => files));
    for (const { files } of wanted) for (const { path } of files) kept.add(path);
    return kept;
  });
}

/** Neither fleet's nor held. */
function isNotHere({ owned, systemd, foreign }: ObservedUnit): boolean {
  return !owned && systemd === null && foreign === undefined;
}

/** Of ours, by somebody's file. */
function isMasked({ owned, systemd }: ObservedUnit): boolean {
  return owned && systemd?.load === "masked" && systemd.fragmentPath !== "";
}

/** What there is of it is somebody else's, or is being taken over: no drift of ours. */
function isOthers(unit: ObservedUnit | undefined): boolean {
  return unit?.foreign?.state === "under-way" || unit?.definedElsewhere !== undefined;
}

/** Its start is queued, and may not have begun. */
function onItsWayUp(unit: ObservedUnit): ObservedUnit {
  return { ...unit, systemd: { ...unit.systemd!, active: "activating" } };
}

/** A start that failed is not tried again at once, unless it is another one. */
function isDue(task: Task, jobs: UnitJobs, nowMs: number): boolean {
  if (task.kind !== "start" && task.kind !== "reset-failed") return true;
  if (task.reason.code === "not-running") return jobs.mayStartAgain(task.unit, nowMs);
  jobs.startsAnew(task.unit);
  return true;
}
