import assert from "node:assert/strict";
import { test } from "node:test";
import { originOf } from "./origin-of.ts";

const cases = [
  ["192.0.2.1", "192.0.2.1"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2"],
  ["2001:db8:1:2::9", "2001:db8:1:2"],
  ["2001:db8::9", "2001:db8:0:0"],
  ["::1", "0:0:0:0"],
  ["", ""],
] as const;

for (const [address, origin] of cases) {
  test(`${address || "no address"} counts as ${origin || "none"}`, () => assert.equal(originOf(address), origin));
}
