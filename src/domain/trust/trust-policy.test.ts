import assert from "node:assert/strict";
import { test } from "node:test";
import { stricterMode, TRUST_MODES } from "./trust-policy.ts";

test("of two modes the stricter one is the later in their order, whichever comes first", () => {
  assert.deepEqual(TRUST_MODES, ["off", "head", "range", "strict"]);
  for (const [at, mode] of TRUST_MODES.entries()) {
    for (const other of TRUST_MODES.slice(at)) {
      assert.equal(stricterMode(mode, other), other);
      assert.equal(stricterMode(other, mode), other);
    }
  }
});
