import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../domain/names.ts";
import type { Task } from "../domain/tasks/task.ts";
import type { LogLine } from "../ports/log.ts";
import { logTasks } from "./log-tasks.ts";

const starts = (count: number): Task[] =>
  Array.from({ length: count }, (_, index) => ({
    kind: "start",
    unit: `web-${index}.service` as UnitName,
    reason: { code: "not-running" },
  }));

const told = (tasks: readonly Task[]): LogLine[] => {
  const lines: LogLine[] = [];
  logTasks(tasks, (line) => lines.push(line));
  return lines;
};

test("a handful of tasks is told to the units they are about, a reload to none", () => {
  const [start] = starts(1) as [Task];
  const reload: Task = { kind: "reload", units: ["web-0.service" as UnitName], reason: { code: "loaded-is-old" } };
  const lines = told([start, reload]);
  assert.deepEqual(
    lines.map(({ unit }) => unit),
    ["web-0.service", undefined],
  );
  assert.match(lines[0]!.message, /^start web-0\.service: /);
});

test("of hundreds none is an entry of its own, and each is told by name", () => {
  assert.equal(told(starts(20)).filter(({ unit }) => unit !== undefined).length, 20);
  const lines = told(starts(21));
  assert.deepEqual(
    lines.filter(({ unit }) => unit !== undefined),
    [],
  );
  assert.equal(new Set(lines.map(({ message }) => message)).size, 21);
});
