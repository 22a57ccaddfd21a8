import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import type { Observation } from "../usecases/observe-units.ts";
import { UnitJobs } from "../usecases/unit-jobs.ts";
import { type PassOutcome, StatusReporter } from "./status-reporter.ts";

const A = "a.service" as UnitName;
const HASH = "a".repeat(64) as UnitHash;

function world() {
  const clock = new VirtualClock();
  const manager = new MemoryUnitManager({ files: new MemoryFileStore(), clock });
  manager.journal = async () => ["boom"];
  const reporter = new StatusReporter(manager, new UnitJobs(manager, () => {}), clock);
  return { clock, reporter };
}

function seen(active: string, sub: string, invocation: string): Observation {
  const view = { load: "loaded", active, sub };
  const fragmentPath = `/run/systemd/system/${A}`;
  return {
    observed: {
      name: A,
      service: A,
      owned: true,
      onDisk: HASH,
      loaded: HASH,
      running: HASH,
      started: HASH,
      systemd: { ...view, fragmentPath },
    },
    managed: { name: A, ...view },
    details: { fragmentPath, since: invocation, result: "exit-code", invocation },
  };
}

function pass(observation: Observation, isWanted: boolean): PassOutcome {
  const wanted = { name: A, service: A, goal: "launched", hash: HASH, files: [], after: [], oneshot: false } as const;
  return {
    seen: new Map([[A, observation]]),
    tasks: [],
    blocked: [],
    problems: new Map(),
    drift: new Map(),
    wanted: isWanted ? [wanted] : [],
    missing: new Map(),
    releasePending: false,
  };
}

test("row 60: a unit that systemd starts again and again is told once, with its journal, until it has been up for a while", async () => {
  const { clock, reporter } = world();
  const report = async (active: string, sub: string, start: number) =>
    (await reporter.report(pass(seen(active, sub, String(start)), true))).get(A);
  for (let start = 1; start < 5; start++) {
    assert.equal((await report("activating", "auto-restart", start))?.problem, null, `start ${start}`);
    await clock.advance(2_500);
  }
  const said = await report("activating", "auto-restart", 5);
  const problem = { code: "restarting", detail: "systemd starts it again and again: exit-code", journal: ["boom"] };
  assert.deepEqual(said?.problem, problem);
  for (let start = 6; start < 20; start++) {
    await clock.advance(2_500);
    assert.deepEqual(await report("active", "running", start), said);
    await clock.advance(2_500);
    assert.deepEqual(await report("activating", "auto-restart", start), said);
  }
  await clock.advance(2_500);
  assert.deepEqual(await report("active", "running", 20), said);
  await clock.advance(60_000);
  assert.deepEqual(
    [(await report("active", "running", 20))?.problem, (await report("active", "running", 20))?.active],
    [null, "active"],
  );
});

test("a start that is under way is none that is over, though the unit is down and never failed", async () => {
  const clock = new VirtualClock();
  const manager = new MemoryUnitManager({ files: new MemoryFileStore(), clock });
  const ends: ((result: "done") => void)[] = [];
  manager.start = (_unit, queued) => {
    queued?.();
    return new Promise((resolve) => ends.push(resolve));
  };
  const jobs = new UnitJobs(manager, () => {});
  const reporter = new StatusReporter(manager, jobs, clock);
  const isStarted = async () => (await reporter.report(pass(seen("inactive", "dead", ""), true))).get(A)?.started;
  assert.equal(await isStarted(), true);
  await jobs.start(A, A);
  assert.equal(await isStarted(), false);
  ends[0]?.("done");
  await clock.advance(1);
  assert.equal(await isStarted(), true);
});

test("what is to be gone is told for as long as it runs", async () => {
  const { reporter } = world();
  const report = async (active: string) => (await reporter.report(pass(seen(active, "", "1"), false))).get(A)?.active;
  assert.deepEqual(
    [await report("deactivating"), await report("active"), await report("inactive"), await report("failed")],
    ["deactivating", "active", undefined, undefined],
  );
});

test("what is not to be started tells by which placement that is so, also where its text is not here", async () => {
  const { reporter } = world();
  const idle = { idle: new Set([A]), placedAt: () => 7 };
  const down = pass(seen("inactive", "dead", "1"), true);
  assert.equal((await reporter.report({ ...down, ...idle })).get(A)?.placed, 7);
  const missing = new Map([[A, { code: "text-unavailable", detail: "", journal: [] }]]);
  const unread = { ...pass(seen("inactive", "dead", "1"), false), missing };
  assert.equal((await reporter.report({ ...unread, ...idle })).get(A)?.placed, 7);
  assert.equal((await reporter.report({ ...down, placedAt: () => 7 })).get(A)?.placed, undefined);
});
