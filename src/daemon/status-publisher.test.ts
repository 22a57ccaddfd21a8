import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import type { MachineId, UnitHash, UnitName } from "../domain/names.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { StatusPublisher } from "./status-publisher.ts";

const MACHINE = "1".repeat(32) as MachineId;
const OTHER = "2".repeat(32) as MachineId;
const keys = registryKeys("prod");
const A = "a.service" as UnitName;

const status = (active: string, changes: Partial<StatusRecord> = {}): StatusRecord => ({
  load: "loaded",
  active,
  sub: "",
  hash: null,
  started: false,
  since: "",
  result: "",
  invocation: "",
  problem: null,
  ...changes,
});
const only = (one: StatusRecord) => new Map([[A, one]]);

async function world() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const mirror = new RegistryMirror(registry, [keys.statuses(MACHINE)], clock, () => {});
  void mirror.run(new AbortController().signal);
  await clock.advance(1);
  const publisher = new StatusPublisher(registry, keys, MACHINE, clock);
  const publish = async (statuses: ReadonlyMap<UnitName, StatusRecord>) => {
    const again = await publisher.publish(statuses, mirror);
    await clock.advance(1);
    return again;
  };
  const shown = async () => {
    const { entries } = await registry.list(keys.statuses(MACHINE));
    return Object.fromEntries(entries.map(({ key, value }) => [key.split("/").at(-1), JSON.parse(value).active]));
  };
  /** When, in milliseconds, the registry was written, publishing what `say` says every 100 ms for so long. */
  const written = async (forMs: number, say: (nowMs: number) => StatusRecord) => {
    const times: number[] = [];
    const startMs = clock.monotonicMs();
    for (let revision = store.revision; clock.monotonicMs() - startMs < forMs; ) {
      await publish(only(say(clock.monotonicMs() - startMs)));
      if (store.revision !== revision) times.push(clock.monotonicMs() - startMs);
      revision = store.revision;
      await clock.advance(99);
    }
    return times;
  };
  return { clock, store, registry, mirror, publisher, publish, shown, written };
}

test("what is as the registry shows it is not written", async () => {
  const { publish, shown, written } = await world();
  await publish(only(status("active")));
  assert.deepEqual(await shown(), { [A]: "active" });
  assert.deepEqual(await written(60_000, () => status("active")), []);
});

test("a state on the way to another one is not published alone, unless it lasts two seconds", async () => {
  const { shown, written, publish } = await world();
  assert.deepEqual(await written(1_500, () => status("activating")), []);
  await publish(only(status("active")));
  assert.deepEqual(await shown(), { [A]: "active" });
  const [first] = await written(10_000, () => status("deactivating"));
  assert.ok(first !== undefined && first >= 2_000 && first < 2_300, `${first}`);
});

test("what is held back says when to ask again", async () => {
  const { publish } = await world();
  assert.equal(await publish(only(status("activating"))), 2_000);
  assert.equal(await publish(only(status("active"))), null);
  const again = await publish(only(status("failed")));
  assert.ok(again !== null && again > 900 && again <= 1_000, `${again}`);
});

test("a unit that changes all the time is written ever less, every ten seconds in the end; after a rest at once", async () => {
  const { clock, written } = await world();
  let count = 0;
  const times = await written(120_000, () => status("active", { invocation: String(++count) }));
  const gaps = times.slice(1).map((time, at) => Math.round((time - times[at]!) / 1_000));
  assert.deepEqual(gaps.slice(0, 5), [1, 2, 4, 8, 10]);
  assert.ok(gaps.slice(4).every((gap) => gap === 10));
  await clock.advance(60_000);
  const [first, second] = await written(3_000, () => status("active", { invocation: String(++count) }));
  assert.ok(first! < 100 && second! < 1_300, `${first} ${second}`);
});

test("another text is told at once, however often its unit changed before", async () => {
  const { written } = await world();
  let count = 0;
  await written(60_000, () => status("active", { invocation: String(++count) }));
  const times = await written(3_000, () => status("active", { hash: "new" as UnitHash }));
  assert.deepEqual([times.length, times[0]! < 100], [1, true]);
});

test("a thousand statuses go a hundred in a transaction, and it asks to go on at once", async () => {
  const { registry, publisher, mirror, clock, shown } = await world();
  const statuses = new Map(
    Array.from({ length: 1_000 }, (_, at) => [`u${at}.service` as UnitName, status("active")] as const),
  );
  const sizes: number[] = [];
  const txn = registry.txn.bind(registry);
  registry.txn = (request) => {
    sizes.push(request.then.length);
    return txn(request);
  };
  let again: number | null = 0;
  while (again === 0) {
    again = await publisher.publish(statuses, mirror);
    await clock.advance(1);
  }
  assert.deepEqual(sizes, Array(10).fill(100));
  assert.equal(Object.keys(await shown()).length, 1_000);
});

test("nothing is decided on a view older than its own last write", async () => {
  const { store, publisher, mirror } = await world();
  await publisher.publish(only(status("active")), mirror);
  const { revision } = store;
  await publisher.publish(only(status("active")), mirror);
  assert.equal(store.revision, revision);
});

test("a prefix somebody wiped, or one status of it, is written again", async () => {
  const { clock, registry, publish, shown } = await world();
  await publish(only(status("active")));
  for (const prefix of [keys.statuses(MACHINE), keys.status(MACHINE, A)]) {
    await clock.advance(30_000);
    await registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix }] });
    await clock.advance(1);
    await publish(only(status("active")));
    assert.deepEqual(await shown(), { [A]: "active" });
  }
});

test("the status of a unit that is gone from here is deleted, of its own machine only", async () => {
  const { registry, publish, shown } = await world();
  await registry.txn({ when: [], then: [{ kind: "put", key: keys.status(OTHER, A), value: "theirs" }] });
  await publish(only(status("active")));
  await publish(new Map());
  assert.deepEqual(await shown(), {});
  assert.equal((await registry.list(keys.status(OTHER, A))).entries.length, 1);
});

test("with the registry gone it writes nothing and says nothing", async () => {
  const { clock, registry, publisher } = await world();
  const mirror = new RegistryMirror(registry, [keys.statuses(MACHINE)], clock, () => {});
  assert.equal(await publisher.publish(only(status("active")), mirror), null);
  assert.deepEqual((await registry.list("")).entries, []);
});
