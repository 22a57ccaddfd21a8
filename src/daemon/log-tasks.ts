import type { Task } from "../domain/tasks/task.ts";
import { info, type Log } from "../ports/log.ts";

/**
 * What one pass does to so many units is told to their own journals: an entry there is a process of its own, 8 ms of CPU with its fork.
 * Of more, some would be told there and most not, just when the machine is busy: then all are told in the agent's, by name.
 */
const UNITS_TOLD_MAX = 20;

/** What a pass did, a line each, with its reason. */
export function logTasks(tasks: readonly Task[], log: Log): void {
  const units = new Set(tasks.flatMap((task) => (task.kind === "reload" ? [] : [task.unit])));
  const isHandful = units.size <= UNITS_TOLD_MAX;
  for (const task of tasks) {
    const what = task.kind === "reload" ? task.units.join(" ") : task.unit;
    const about = task.kind === "reload" || !isHandful ? undefined : task.unit;
    log(info(`${task.kind} ${what}: ${JSON.stringify(task.reason)}`, about));
  }
}
