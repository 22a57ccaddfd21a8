import assert from "node:assert/strict";
import { test } from "node:test";
import { replicaSetOf } from "./replica-set-of.ts";
import { parseUnitName } from "./unit-name.ts";

const CASES: readonly (readonly [string, string])[] = [
  ["web@1.service", "web@.service"],
  ["web@blue.container", "web@.container"],
  ["web@a@b.service", "web@.service"],
  ["web-1.service", "web-1.service"],
];

for (const [unit, set] of CASES) {
  test(`${unit} is one of ${set}`, () => assert.equal(replicaSetOf(parseUnitName(unit)!), set));
}
