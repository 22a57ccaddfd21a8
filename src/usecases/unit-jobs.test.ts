import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { UnitName } from "../domain/names.ts";
import { UnitJobs } from "./unit-jobs.ts";

const A = "a.service" as UnitName;

async function world(text: string) {
  const clock = new VirtualClock();
  const files = new MemoryFileStore();
  const manager = new MemoryUnitManager({ files, clock });
  const write = (content: string) => files.write(`/run/systemd/system/${A}`, content);
  await write(text);
  let wakes = 0;
  const jobs = new UnitJobs(manager, () => wakes++);
  return { clock, write, manager, jobs, wakes: () => wakes };
}

test("a unit is busy until its start has ended, and the end wakes", async () => {
  const { clock, manager, jobs, wakes } = await world("[Service]\nExecStart=/bin/server\n");
  manager.faults = () => ({ kind: "delay", ms: 60_000 });
  jobs.start(A, A);
  await clock.advance(59_000);
  assert.deepEqual([jobs.isBusy(A), wakes()], [true, 0]);
  await clock.advance(1_000);
  assert.deepEqual([jobs.isBusy(A), wakes(), jobs.failure(A)], [false, 1, null]);
});

test("how a start failed is remembered until a later one ends well", async () => {
  const { clock, write, manager, jobs } = await world("[Service]\nType=oneshot\nExecStart=/bin/false\n");
  jobs.start(A, A);
  await clock.advance(1_000);
  assert.deepEqual(jobs.failure(A), { code: "start-failed", detail: "the start job ended with failed" });
  await write("[Service]\nExecStart=/bin/server\n");
  await manager.reload();
  jobs.start(A, A);
  await clock.advance(1_000);
  assert.equal(jobs.failure(A), null);
});

test("of a start that failed nothing is told of the next version, also while that one takes long", async () => {
  const { clock, write, manager, jobs } = await world("[Service]\nType=oneshot\nExecStart=/bin/false\n");
  jobs.start(A, A);
  await clock.advance(1_000);
  jobs.startsAnew(A);
  assert.equal(jobs.failure(A), null);
  await write("[Service]\nType=oneshot\nExecStart=/bin/sleep 60\n");
  await manager.reload();
  jobs.start(A, A);
  await clock.advance(30_000);
  assert.deepEqual([jobs.isBusy(A), jobs.failure(A)], [true, null]);
  await clock.advance(60_000);
  assert.deepEqual([jobs.isBusy(A), jobs.failure(A)], [false, null]);
});

test("a start that systemd refuses, or that is lost with the bus, is a failure with its code, and the unit is free again", async () => {
  const { clock, manager, jobs } = await world("[Service]\nExecStart=/bin/server\n");
  const refused = jobs.start(A, "nobody.service" as UnitName);
  await clock.advance(0);
  assert.equal(await refused, true, "systemd was told");
  assert.deepEqual([jobs.isBusy(A), jobs.failure(A)?.code], [false, "unit-not-found"]);
  manager.faults = () => ({ kind: "hang" });
  const hanging = jobs.start(A, A);
  await clock.advance(10);
  assert.equal(await hanging, true, "systemd has the job, however it ends");
  manager.setReachable(false);
  await clock.advance(0);
  assert.deepEqual([jobs.isBusy(A), jobs.failure(A)?.code], [false, "systemd-unreachable"]);
  assert.equal(await jobs.start(A, A), false, "nobody was told");
});

test("a stop is waited for, and the unit is free again also where it cannot be asked", async () => {
  const { clock, manager, jobs } = await world("[Service]\nExecStart=/bin/server\n");
  await manager.start(A);
  const stopping = jobs.stop(A, A);
  assert.equal(jobs.isBusy(A), true);
  await clock.advance(1);
  assert.equal(await stopping, "done");
  manager.setReachable(false);
  await assert.rejects(jobs.stop(A, A), { code: "systemd-unreachable" });
  assert.equal(jobs.isBusy(A), false);
});

test("row 59: a stop that nobody can wait for is a problem for as long as it lasts, and no longer", async () => {
  const { clock, manager, jobs } = await world("[Service]\nExecStart=/bin/server\n");
  await manager.start(A);
  manager.faults = () => ({ kind: "delay", ms: 60_000 });
  const stopping = jobs.stop(A, A);
  await clock.advance(5_000);
  const problem = { code: "stopping", detail: "still stopping" };
  jobs.tooLong(A, problem);
  assert.deepEqual(jobs.failure(A), problem);
  await clock.advance(60_000);
  await stopping;
  assert.equal(jobs.failure(A), null);
  jobs.tooLong(A, problem);
  assert.equal(jobs.failure(A), null, "what has ended by then is none");
});
