import assert from "node:assert/strict";
import { test } from "node:test";
import { isHeldBySystemd } from "./is-held.ts";

test("what systemd merely heard of is not held; what runs on without its file is", () => {
  assert.equal(isHeldBySystemd(null), false);
  assert.equal(isHeldBySystemd({ load: "not-found", active: "inactive" }), false);
  assert.equal(isHeldBySystemd({ load: "not-found", active: "failed" }), false);
  assert.equal(isHeldBySystemd({ load: "not-found", active: "active" }), true);
  assert.equal(isHeldBySystemd({ load: "masked", active: "inactive" }), true);
});
