import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import { leaseUnit } from "../domain/spec/at-most-one-dropin.ts";
import { AgentFiles } from "./agent-files.ts";
import { forgetLapsed } from "./forget-lapsed.ts";
import { UnitJobs } from "./unit-jobs.ts";

const LEASE = leaseUnit("20s");
const [DB, JOB] = ["db.service", "job.service"] as UnitName[] as [UnitName, UnitName];
const HASH = "h" as UnitHash;

/** A machine on which both were started, and the oneshot has ended. */
async function machine() {
  const clock = new VirtualClock();
  const disk = new MemoryFileStore();
  const manager = new MemoryUnitManager({ files: disk, clock });
  const files = new AgentFiles(disk);
  await disk.write(`/etc/systemd/system/${LEASE}`, "[Service]\nExecStart=/bin/sleep infinity\n");
  await disk.write(`/run/systemd/system/${DB}`, `[Unit]\nBindsTo=${LEASE}\n[Service]\nExecStart=/bin/sleep infinity\n`);
  const owned = { files: [], onDisk: HASH, loaded: HASH, started: HASH };
  await files.writeOwned(new Map([DB, JOB].map((name) => [name, { service: name, ...owned }])));
  const jobs = new UnitJobs(manager, () => {});
  const units = [
    { name: DB, service: DB, stopAfterMs: 20_000, lease: LEASE, oneshot: false },
    { name: JOB, service: JOB, stopAfterMs: 20_000, lease: LEASE, oneshot: true },
  ];
  const look = () => forgetLapsed(units, { manager, files, jobs });
  const started = async () =>
    [...(await files.readOwned())].flatMap(([name, unit]) => (unit.started === null ? [] : [name]));
  return { clock, manager, jobs, look, started };
}

test("while the lease stands nothing is forgotten: who fails then fails by himself", async () => {
  const { manager, look, started } = await machine();
  await manager.start(LEASE);
  await look();
  assert.deepEqual(await started(), [DB, JOB]);
});

test("what went down with the lease was stopped as if by us, and starts again; what has run once is done", async () => {
  const { manager, look, started } = await machine();
  await manager.start(LEASE);
  manager.kill(LEASE);
  await look();
  assert.deepEqual(await started(), [JOB]);
});

test("a lease that was never there since the agent looks is none", async () => {
  const { look, started } = await machine();
  await look();
  assert.deepEqual(await started(), [JOB]);
});

test("one whose start is under way, and brings the lease along, is not taken for lapsed", async () => {
  const { manager, jobs, look, started } = await machine();
  manager.faults = () => ({ kind: "hang" });
  void jobs.start(DB, DB);
  await look();
  assert.deepEqual(await started(), [DB, JOB]);
});
