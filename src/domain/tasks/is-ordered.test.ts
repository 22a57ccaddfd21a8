import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash } from "../names.ts";
import { isOrdered } from "./is-ordered.ts";

const [NEW, OLD] = ["new" as UnitHash, "old" as UnitHash];

test("asked for and not done: another text, a start, a stop; done: nothing, whoever undid it since", () => {
  const wanted = { hash: NEW, goal: "launched" } as const;
  assert.equal(isOrdered(wanted, { onDisk: NEW, started: NEW }), false);
  assert.equal(isOrdered(wanted, { onDisk: OLD, started: OLD }), true);
  assert.equal(
    isOrdered(wanted, { onDisk: null, started: NEW }),
    true,
    "a write that was cut short is still asked for",
  );
  assert.equal(isOrdered(wanted, { onDisk: NEW, started: null }), true);
  assert.equal(isOrdered({ hash: NEW, goal: "loaded" }, { onDisk: NEW, started: NEW }), true);
  assert.equal(isOrdered({ hash: NEW, goal: "loaded" }, { onDisk: NEW, started: null }), false);
});
