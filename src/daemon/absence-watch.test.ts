import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { Member } from "../domain/cluster/cluster-snapshot.ts";
import { AbsenceWatch } from "./absence-watch.ts";

test("a machine is missed since it was first seen away, in the same words until it is back", async () => {
  const clock = new VirtualClock();
  const watch = new AbsenceWatch(clock);
  const m1 = (present: boolean) => [{ id: "m1", present } as unknown as Member];
  assert.deepEqual(watch.current(m1(true)), []);
  const first = [{ machine: "m1", since: new Date(clock.wallMs()).toISOString() }];
  assert.deepEqual(watch.current(m1(false)), first);
  await clock.advance(60_000);
  assert.deepEqual(watch.current(m1(false)), first);
  assert.deepEqual(watch.current(m1(true)), []);
  assert.deepEqual(watch.current(m1(false)), [{ machine: "m1", since: new Date(clock.wallMs()).toISOString() }]);
});
