import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { readReport } from "../codec/read-report.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { CommitId, MachineId, SpecHash, UnitName } from "../domain/names.ts";
import { EngineReporter, type Told } from "./engine-reporter.ts";

const KEYS = registryKeys("prod");
const M1 = "1".repeat(32) as MachineId;
const M2 = "2".repeat(32) as MachineId;
const WEB = "web.service" as UnitName;
const TOLD: Told = {
  release: {
    seq: 4,
    commit: "c".repeat(40) as CommitId,
    specHash: "s" as SpecHash,
    contentId: "",
    planId: "",
    parent: null,
    by: "ada",
    at: "",
  },
  problem: null,
  unplaced: [],
  members: [],
};
const wave = (state: "starting" | "settling"): Told => ({
  ...TOLD,
  waits: [{ code: "wave", units: [WEB], more: 0, for: [{ unit: WEB, machine: M1, state }] }],
});

async function world() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const lease = await registry.grantLease(60_000);
  await registry.txn({ when: [], then: [{ kind: "put", key: KEYS.leader, value: "{}", lease }] });
  const leadership = { record: "{}", term: 1 };
  const lines: unknown[] = [];
  const log = (line: unknown) => lines.push(line);
  const reporter = new EngineReporter("m1", leadership, KEYS, { registry, clock, log });
  const read = async () => {
    const { entries } = await registry.list(KEYS.report);
    return { report: readReport(entries[0]?.value ?? ""), version: entries[0]?.modRevision ?? 0 };
  };
  return { clock, reporter, lease, read, lines };
}

test("the same said again is not written, however much later", async () => {
  const { clock, reporter, lease, read } = await world();
  assert.equal(await reporter.tell(wave("starting"), lease), true);
  const { version } = await read();
  await clock.advance(30_000);
  assert.equal(await reporter.tell(wave("starting"), lease), true);
  assert.equal((await read()).version, version);
});

test("since when it waits stays, while what it waits for comes nearer", async () => {
  const { clock, reporter, lease, read } = await world();
  await reporter.tell(wave("starting"), lease);
  const since = (await read()).report?.waits?.[0]?.since;
  await clock.advance(5_000);
  await reporter.tell(wave("settling"), lease);
  const [wait] = (await read()).report?.waits ?? [];
  assert.equal(wait?.since, since);
  assert.equal(wait?.code === "wave" ? wait.for[0]?.state : null, "settling");
});

test("another report within a second is put off, and said so; a new problem is not", async () => {
  const { clock, reporter, lease, read, lines } = await world();
  await reporter.tell(wave("starting"), lease);
  assert.equal(await reporter.tell(wave("settling"), lease), false);
  assert.equal(await reporter.tell({ ...TOLD, problem: "cannot read" }, lease), true);
  assert.equal((await read()).report?.problem, "cannot read");
  assert.equal(lines.length, 1);
  await clock.advance(1_000);
  assert.equal(await reporter.tell(wave("settling"), lease), true);
  assert.equal((await read()).report?.problem, null);
});

test("why a unit is not where it was planned is told as it was when that was first seen", async () => {
  const { clock, reporter, lease, read } = await world();
  const deviating = (code: "lost" | "stays"): Told => ({
    ...TOLD,
    deviations: [{ unit: WEB, planned: M2, actual: M1, because: { code } }],
  });
  await reporter.tell(deviating("lost"), lease);
  const { version } = await read();
  await clock.advance(60_000);
  await reporter.tell(deviating("stays"), lease);
  const { report, version: later } = await read();
  assert.deepEqual(report?.deviations?.[0]?.because, { code: "lost" });
  assert.equal(later, version);
});

test("what waits for a machine to take the release is told once it takes long", async () => {
  const { clock, reporter, lease, read } = await world();
  const waits = [{ code: "prepare", units: [WEB], more: 0, machine: M1 }] as const;
  assert.equal(await reporter.tell({ ...TOLD, waits }, lease), false, "it wants to be told again");
  assert.equal((await read()).report?.waits, undefined);
  await clock.advance(1_900);
  assert.equal(await reporter.tell({ ...TOLD, waits: [] }, lease), true, "it was quick");
  assert.equal(await reporter.tell({ ...TOLD, waits }, lease), false, "and waits for the next release");
  await clock.advance(2_000);
  assert.equal(await reporter.tell({ ...TOLD, waits }, lease), true);
  assert.deepEqual(
    (await read()).report?.waits?.map(({ code, units }) => [code, units]),
    [["prepare", [WEB]]],
  );
});
