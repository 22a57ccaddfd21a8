import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { OwnedUnit } from "../codec/agent-state.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { OperationError } from "../ports/operation-error.ts";
import { type DetailsCache, observeUnits } from "./observe-units.ts";
import { statusOfUnit } from "./status-of-unit.ts";

const A = "a.service" as UnitName;
const hash = "h" as UnitHash;
const wanted: WantedUnit = { name: A, service: A, goal: "launched", hash, files: [], after: [], oneshot: false };
const owned: OwnedUnit = { service: A, files: [A], onDisk: hash, loaded: hash, started: hash };

async function world(text: string | null) {
  const clock = new VirtualClock();
  const files = new MemoryFileStore();
  const manager = new MemoryUnitManager({ files, clock });
  if (text !== null) await files.write(`/run/systemd/system/${A}`, text);
  const cache: DetailsCache = new Map();
  const see = async (own: OwnedUnit | null = owned, busy = false) => {
    const units = own === null ? new Map() : new Map([[A, own]]);
    return (await observeUnits(manager, [wanted], units, cache, () => busy)).get(A)!;
  };
  return { clock, manager, see };
}

const SERVER = "[Service]\nExecStart=/bin/server\n";

test("a unit nobody knows is neither ours nor there", async () => {
  const { see } = await world(null);
  const nothing = { owned: false, onDisk: null, loaded: null, running: null, started: null, systemd: null };
  assert.deepEqual((await see(null)).observed, { name: A, service: A, ...nothing });
});

test("a unit whose job is under way is not asked about itself", async () => {
  const { manager, see } = await world(SERVER);
  await manager.start(A);
  assert.equal((await see(owned, true)).details, null);
  const settled = (await see()).details;
  assert.notEqual(settled?.invocation, "");
  await manager.stop(A);
  await manager.start(A);
  assert.deepEqual((await see(owned, true)).details, settled, "what was known of it is not forgotten");
});

test("what runs was started from what is loaded; what is down runs nothing", async () => {
  const { clock, manager, see } = await world(SERVER);
  assert.deepEqual([(await see()).observed.running, (await see()).observed.loaded], [null, hash]);
  await manager.start(A);
  const { observed } = await see({ ...owned, onDisk: "new" as UnitHash });
  assert.deepEqual([observed.onDisk, observed.loaded, observed.running], ["new", hash, hash]);
  assert.equal(observed.systemd?.fragmentPath, `/run/systemd/system/${A}`);
  manager.kill(A);
  await clock.advance(1);
  const failed = (await see()).observed;
  assert.deepEqual([failed.systemd?.active, failed.running], ["failed", null]);
});

test("a unit systemd does not hold is loaded from the disk when it is next needed", async () => {
  const { see } = await world(SERVER);
  const { observed } = await see({ ...owned, loaded: "old" as UnitHash });
  assert.equal(observed.loaded, hash);
});

test("a foreign unit of the name is seen with its path and is not ours", async () => {
  const { manager, see } = await world(SERVER);
  await manager.start(A);
  const { observed } = await see(null);
  assert.deepEqual([observed.owned, observed.running, observed.systemd?.active], [false, null, "active"]);
});

test("a failure is told with its result and its last ten journal lines, none longer than 400 characters", async () => {
  const says = Array.from({ length: 12 }, (_, at) => `echo line${at}${at === 11 ? "x".repeat(1_000) : ""}`).join("; ");
  const { clock, manager, see } = await world(`[Service]\nExecStart=/bin/sh -c '${says}; exit 3'\n`);
  await manager.start(A);
  await clock.advance(1_000);
  const status = await statusOfUnit(manager, await see(), null);
  assert.deepEqual(
    [status.active, status.result, status.problem?.code, status.problem?.detail],
    ["failed", "exit-code", "failed", "systemd says exit-code"],
  );
  assert.equal(status.problem?.journal.length, 10);
  assert.equal(status.problem?.journal[0], "line2");
  assert.equal(status.problem?.journal[9]?.length, 400);
});

test("a problem is told although the journal cannot be read, and although there is nothing of the unit here", async () => {
  const { manager, see } = await world(SERVER);
  const observation = await see();
  manager.journal = async () => {
    throw new OperationError("journal-unreadable", "no");
  };
  const problem = { code: "conflict", detail: "/etc/systemd/system/a.service" };
  const ours = { ...observation!, observed: { ...observation!.observed, owned: true } };
  const status = await statusOfUnit(manager, ours, problem);
  assert.deepEqual(status.problem, { ...problem, journal: ["(the journal could not be read)"] });
  const theirs = await statusOfUnit(manager, { ...ours, observed: { ...ours.observed, owned: false } }, problem);
  assert.deepEqual(theirs.problem, { ...problem, journal: [] }, "somebody else's words do not travel");
  const nothing = await statusOfUnit(manager, null, problem);
  assert.deepEqual([nothing.load, nothing.problem], ["not-found", { ...problem, journal: [] }]);
});
