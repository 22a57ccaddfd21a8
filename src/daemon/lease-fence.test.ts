import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { MachineId, UnitHash, UnitName } from "../domain/names.ts";
import { AT_MOST_ONE_DROPIN, atMostOneDropin } from "../domain/spec/at-most-one-dropin.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId } from "../ports/registry.ts";
import { AgentFiles } from "../usecases/agent-files.ts";
import { UnitJobs } from "../usecases/unit-jobs.ts";
import { LeaseFence } from "./lease-fence.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { RegistryMirror } from "./registry-mirror.ts";

const M1 = "1".repeat(32) as MachineId;
const keys = registryKeys("prod");
const DB = "db.service" as UnitName;
const STOP_AFTER_MS = 4_000;
const TOKEN = `/run/fleet/fence/${DB}.env`;
const SET = {
  epoch: 1,
  generation: 5,
  placements: [{ unit: DB, hash: DB as string as UnitHash, goal: "launched" as const }],
};

function wanted(name: string, text: string, more: Partial<WantedUnit> = {}): WantedUnit {
  const files = [{ path: name, text }];
  if (name === DB) {
    files.push({ path: `${name}.d/${AT_MOST_ONE_DROPIN}`, text: atMostOneDropin(DB, "stop-after=4s") });
  }
  const unit = name as UnitName;
  return {
    name: unit,
    service: unit,
    goal: "launched",
    hash: name as UnitHash,
    files,
    after: [],
    oneshot: false,
    ...more,
  };
}

const SINGLE = wanted(DB, "[Service]\nKillMode=mixed\nTimeoutStopSec=1\n");
const NEEDS_IT = wanted("web.service", `[Unit]\nRequires=${DB}\n`);
const OTHER = wanted("other.service", "[Service]\n");

/** A machine with its set in the registry; its presence is not there yet. */
async function world(ttlMs = 10_000) {
  const clock = new VirtualClock();
  const store = new MvccStore();
  let cut = false;
  const registry = new (class extends MvccRegistry {
    override keepAlive(lease: LeaseId): Promise<boolean> {
      if (cut) throw new OperationError("registry-unreachable", "cut");
      return super.keepAlive(lease);
    }
  })(store, clock);
  const put = (key: string, value: object, lease?: LeaseId) =>
    registry.txn({
      when: [],
      then: [{ kind: "put", key, value: encodeRecord(value), ...(lease === undefined ? {} : { lease }) }],
    });
  const header = (generation: number) => put(keys.set(M1), { epoch: 1, generation, count: 1, digest: "d", op: "" });
  await header(5);
  const placed = await put(keys.placement(M1, DB), { hash: "h", goal: "launched" });
  const stop = new AbortController();
  void expireLeases(store, clock, stop.signal);
  const keeper = new LeaseKeeper(registry, clock, ttlMs, () => {});
  const mirror = new RegistryMirror(registry, [keys.presence(M1), keys.set(M1)], clock, () => {});
  const disk = new MemoryFileStore();
  const manager = new MemoryUnitManager({ files: disk, clock });
  const told: number[] = [];
  let wakes = 0;
  const fence = new LeaseFence(M1, keys, keeper, mirror, {
    ...{ registry, clock, manager, files: new AgentFiles(disk), log: () => {}, wake: () => wakes++ },
    holder: { renewed: async (sentMs) => void told.push(sentMs) },
  });
  void keeper.run(stop.signal);
  void mirror.run(stop.signal);
  await clock.advance(10);
  const jobs = new UnitJobs(manager, () => {});
  const all = [SINGLE, NEEDS_IT, OTHER];
  const judge = async (units: readonly WantedUnit[] = all, generation = 5, placements = SET.placements) => {
    const { units: back, problems } = await fence.judge(units, { ...SET, generation, placements }, jobs);
    await clock.advance(10);
    return [[...back], [...problems.values()].map(({ code }) => code)];
  };
  const appear = async () => {
    await put(keys.presence(M1), { bootId: "b", op: "" }, keeper.lease!);
    await clock.advance(10);
  };
  const token = () => disk.peek(TOKEN)?.text ?? null;
  return {
    ...{
      clock,
      disk,
      manager,
      fence,
      keeper,
      judge,
      appear,
      header,
      put,
      told,
      token,
      placed: placed.revision,
      wakes: () => wakes,
    },
    setCut: (now: boolean) => {
      cut = now;
    },
  };
}

const HELD = [[DB, "web.service"], ["no-lease"]];
const FREE = [[], []];

test("a lease alone lets nothing start: our presence hangs on it first", async () => {
  const { judge, appear, told, token } = await world();
  assert.deepEqual(await judge(), HELD);
  assert.deepEqual([told, token()], [[], null]);
  await appear();
  assert.deepEqual(await judge(), FREE);
  assert.equal(told.length, 1);
});

test("nor while the registry has another set than the one that is acted on", async () => {
  const { judge, appear, header, told } = await world();
  await header(6);
  await appear();
  assert.deepEqual(await judge(), HELD);
  assert.deepEqual(told, []);
  assert.deepEqual(await judge(undefined, 6), FREE);
});

test("nor what the set in force does not have: an agent that goes back to an earlier one cannot take it back", async () => {
  const { judge, appear } = await world();
  await appear();
  assert.deepEqual(await judge(undefined, 5, []), HELD);
  assert.deepEqual(await judge(), FREE);
});

test("the token is that of the unit's own placement", async () => {
  const { judge, appear, put, header, token, placed } = await world();
  await appear();
  await judge();
  assert.equal(token(), `FLEET_FENCE_TOKEN=${1e12 + placed}\n`);
  await header(6);
  await judge(undefined, 6);
  assert.equal(token(), `FLEET_FENCE_TOKEN=${1e12 + placed}\n`, "whatever else changes in the set");
  const { revision } = await put(keys.placement(M1, DB), { hash: "i", goal: "launched" });
  await judge(undefined, 6);
  await judge(undefined, 6);
  assert.equal(token(), `FLEET_FENCE_TOKEN=${1e12 + revision}\n`);
});

test("each renewal is handed over by itself, and when they end so does the leave to start; the next one wakes the agent", async () => {
  const { clock, judge, appear, told, setCut, wakes } = await world();
  await appear();
  await judge();
  await clock.advance(12_000);
  assert.ok(told.length >= 9, "three within its time");
  setCut(true);
  await clock.advance(STOP_AFTER_MS);
  assert.deepEqual(await judge(), HELD);
  const before = [told.length, wakes()];
  setCut(false);
  await clock.advance(STOP_AFTER_MS);
  assert.ok(told.length > before[0]! && wakes() > before[1]!);
  assert.deepEqual(await judge(), FREE);
});

test("a presence that is another one is confirmed anew", async () => {
  const { clock, keeper, judge, appear, header, told, setCut } = await world();
  await appear();
  await judge();
  const first = keeper.lease;
  setCut(true);
  await clock.advance(12_000);
  await header(6);
  setCut(false);
  await clock.advance(5_000);
  assert.notEqual(keeper.lease, first);
  await appear();
  const before = told.length;
  assert.deepEqual(await judge(), HELD, "meanwhile the set has become another one");
  assert.equal(told.length, before);
  assert.deepEqual(await judge(undefined, 6), FREE);
});

test("with a lease of our own too short for it nothing of it starts, whatever the manifest says", async () => {
  const { judge, appear } = await world(8_000);
  await appear();
  assert.deepEqual(await judge(), [[DB, "web.service"], ["lease-too-short"]]);
});

test("and what runs already under such a lease is stopped", async () => {
  const { disk, manager, judge, appear } = await world(8_000);
  await disk.write(`/run/systemd/system/${DB}`, "[Service]\nExecStart=/bin/sleep infinity\n");
  await manager.start(DB);
  await appear();
  await judge();
  assert.deepEqual([...manager.running().keys()], []);
});

test("where nobody said how long a lease is to last, it lasts as long as what runs at most once needs", async () => {
  const { clock, fence, keeper, judge, appear } = await world();
  fence.lastFor(5_000);
  assert.equal(keeper.ttlMs, 5_000);
  await judge();
  assert.equal(keeper.ttlMs, 9_000, "4 s, a second to stop, and 3 s to spare");
  await clock.advance(10);
  await appear();
  assert.deepEqual(await judge(), FREE);
  const lease = keeper.lease;
  fence.lastFor(30_000);
  assert.deepEqual(await judge(), HELD, "a renewal of the shorter one is no promise of the longer");
  await clock.advance(10);
  assert.notEqual(keeper.lease, lease);
  await appear();
  assert.deepEqual(await judge(), FREE);
  fence.lastFor(5_000);
  assert.equal(keeper.ttlMs, 9_000, "those that run were promised more");
  await judge([OTHER]);
  assert.equal(keeper.ttlMs, 5_000);
});

test("what is not to be started is not held back: it may have to stop", async () => {
  const { judge } = await world();
  assert.deepEqual(await judge([{ ...SINGLE, goal: "loaded" }]), FREE);
});

test("with no such unit nothing is asked, told or hurried", async () => {
  const { clock, judge, appear, told } = await world();
  await appear();
  assert.deepEqual(await judge([OTHER]), FREE);
  await clock.advance(20_000);
  assert.deepEqual(told, []);
});
