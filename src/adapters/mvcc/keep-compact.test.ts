import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../memory/virtual-clock.ts";
import { keepCompact } from "./keep-compact.ts";
import { MvccRegistry } from "./mvcc-registry.ts";
import { MvccStore } from "./mvcc-store.ts";

test("an hour after it was written the past is forgotten, and what is there stays", async () => {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const stop = new AbortController();
  const running = keepCompact(store, clock, stop.signal);
  for (const value of ["1", "2", "3"]) await registry.txn({ when: [], then: [{ kind: "put", key: "/a", value }] });
  await clock.advance(3_600_000);
  assert.equal(store.compactedRevision, store.revision);
  await clock.advance(3_600_000);
  assert.deepEqual(
    (await registry.list("/")).entries.map(({ value }) => value),
    ["3"],
  );
  stop.abort(null);
  await clock.advance(1);
  await running;
});
