import type { Task } from "../domain/tasks/task.ts";
import { info, type Log } from "../ports/log.ts";

/** What a pass did, a line each, with its reason. */
export function logTasks(tasks: readonly Task[], log: Log): void {
  for (const task of tasks) {
    const what = task.kind === "reload" ? task.units.join(" ") : task.unit;
    log(info(`${task.kind} ${what}: ${JSON.stringify(task.reason)}`, task.kind === "reload" ? undefined : task.unit));
  }
}
