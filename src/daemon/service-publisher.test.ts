import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../test/compile-repository.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import type { HealthCheck } from "../domain/health/health-check.ts";
import type { MachineId, UnitHash, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { ServicePublisher } from "./service-publisher.ts";

const keys = registryKeys("home");
const self = {
  machine: "1".repeat(32) as MachineId,
  name: "m1",
  address: "10.0.0.1",
  metadata: {},
  bootId: "b",
  version: "1",
};
const CHECKS = [{ kind: "tcp", host: "127.0.0.1", port: 80 }] as unknown as readonly HealthCheck[];

const wanted = (name: string, changes: Partial<WantedUnit> = {}): WantedUnit => ({
  ...{ name: name as UnitName, service: name as UnitName, goal: "launched", hash: "h" as UnitHash },
  ...{ files: [], after: [], oneshot: false, announce: [{ name: "http", port: 8080, transport: "tcp" }] },
  ...changes,
});

type Seen = readonly (readonly [unit: string, active: string, health?: "passing" | "failing" | "unknown"])[];

function statuses(seen: Seen): ReadonlyMap<UnitName, StatusRecord> {
  return new Map(
    seen.map(([unit, active, state]) => [
      unit as UnitName,
      {
        ...{ load: "loaded", active, sub: "", hash: null, started: true, since: "", result: "", invocation: "" },
        problem: null,
        ...(state === undefined ? {} : { health: { state, detail: "" } }),
      },
    ]),
  );
}

function world() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const made = () => new ServicePublisher(self, "home", keys, { registry, sha256 });
  const shown = async () => {
    const { entries } = await registry.list(keys.services);
    return entries.map(({ value, lease }) => `${(JSON.parse(value) as { host: string; port: number }).host} ${lease}`);
  };
  return { store, registry, made, shown };
}

test("an address is there while its unit is up and healthy, and nothing is written in between", async () => {
  const { store, registry, made, shown } = world();
  const lease = await registry.grantLease(30_000);
  const publisher = made();
  const units = [wanted("web@1.service"), wanted("api.service", { healthChecks: CHECKS }), wanted("db.service")];
  const tell = (...seen: Seen) => publisher.tell(units, statuses(seen), lease);
  await tell(["web@1.service", "activating"], ["api.service", "active", "unknown"]);
  assert.deepEqual(await shown(), []);
  await tell(["web@1.service", "active"], ["api.service", "active", "passing"]);
  assert.deepEqual(await shown(), [`10.0.0.1 ${lease}`, `10.0.0.1 ${lease}`]);
  const { revision } = store;
  for (let again = 0; again < 3; again++)
    await tell(["web@1.service", "reloading"], ["api.service", "active", "passing"]);
  assert.equal(store.revision, revision);
  await tell(["web@1.service", "active"], ["api.service", "active", "failing"]);
  assert.equal((await shown()).length, 1);
  await tell(["web@1.service", "failed"]);
  assert.deepEqual(await shown(), []);
});

test("what is not wanted any more is withdrawn, and so is what an agent before this one left", async () => {
  const { registry, made, shown } = world();
  const [old, young] = [await registry.grantLease(30_000), await registry.grantLease(30_000)];
  const both = [wanted("web@1.service"), wanted("db.service")];
  const up: Seen = [
    ["web@1.service", "active"],
    ["db.service", "active"],
  ];
  await made().tell(both, statuses(up), old);
  const next = made();
  await next.tell(both.slice(0, 1), statuses(up), young);
  assert.deepEqual(await shown(), [`10.0.0.1 ${young}`]);
  await next.tell([wanted("web@1.service", { goal: "loaded" })], statuses(up), young);
  assert.deepEqual(await shown(), []);
});

test("under another lease all is said again, and without one nothing", async () => {
  const { registry, made, shown } = world();
  const [old, young] = [await registry.grantLease(30_000), await registry.grantLease(30_000)];
  const publisher = made();
  const tell = (lease: string | null) =>
    publisher.tell([wanted("db.service")], statuses([["db.service", "active"]]), lease);
  await tell(null);
  assert.deepEqual(await shown(), []);
  await tell(old);
  await registry.revokeLease(old);
  assert.deepEqual(await shown(), []);
  await tell(young);
  assert.deepEqual(await shown(), [`10.0.0.1 ${young}`]);
});
