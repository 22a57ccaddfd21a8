import type { UnitName } from "../domain/names.ts";
import { planTasks } from "../domain/tasks/plan-tasks.ts";
import type { Blocked, Task, WantedUnit } from "../domain/tasks/task.ts";
import { knownEffects } from "./known-effects.ts";
import { type DetailsCache, type Observation, observeUnits } from "./observe-units.ts";
import { runTasks, type TaskProblems, type TaskWorld } from "./run-tasks.ts";

export interface ReconcileWorld extends TaskWorld {
  /** The memory between passes. */
  readonly details: DetailsCache;
}

export interface Reconciled {
  /** As it was left. */
  readonly seen: ReadonlyMap<UnitName, Observation>;
  readonly tasks: readonly Task[];
  readonly blocked: readonly Blocked[];
  readonly problems: TaskProblems;
}

/**
 * One pass: looks at every unit that is wanted here or is ours, decides, acts, and looks again where it acted. Units in `missing`, and
 * those with a job under way, are left as they are. Wanting null is knowing nothing: then nothing is touched at all.
 */
export async function reconcileUnits(
  wanted: readonly WantedUnit[] | null,
  missing: ReadonlySet<UnitName>,
  world: ReconcileWorld,
): Promise<Reconciled> {
  const { manager, files, jobs, details } = world;
  const owned = await files.readOwned();
  const before = await observeUnits(manager, wanted ?? [], owned, details);
  const isFree = ({ name }: { readonly name: UnitName }) => !missing.has(name) && !jobs.isBusy(name);
  const observed = new Map([...before].map(([name, seen]) => [name, seen.observed]));
  if (wanted === null) return { seen: before, tasks: [], blocked: [], problems: new Map() };
  const effectOf = await knownEffects(wanted, observed.values(), files);
  const { tasks, blocked } = planTasks(wanted.filter(isFree), [...observed.values()].filter(isFree), effectOf);
  if (tasks.length === 0) return { seen: before, tasks, blocked, problems: new Map() };
  const byName = new Map(wanted.map((unit) => [unit.name, unit]));
  const problems = await runTasks(tasks, byName, observed, owned, world);
  for (const task of tasks) {
    if (task.kind !== "reload") details.delete(byName.get(task.unit)?.service ?? task.unit);
  }
  return { seen: await observeUnits(manager, wanted, owned, details), tasks, blocked, problems };
}
