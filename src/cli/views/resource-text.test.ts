import assert from "node:assert/strict";
import { test } from "node:test";
import { resourceText } from "./resource-text.ts";

const CASES: readonly (readonly [Parameters<typeof resourceText>, string])[] = [
  [["cpu", 1_500], "1.5 CPU"],
  [["cpu", 250], "0.25 CPU"],
  [["cpu", 0], "0 CPU"],
  [["cpu", -500], "0 CPU"],
  [["memory", 512 * 1024 ** 2], "512M of memory"],
  [["memory", 1.5 * 1024 ** 3], "1.5G of memory"],
  [["memory", 2 * 1024 ** 3 - 1], "1.9G of memory"],
  [["memory", 700], "700 of memory"],
  [["memory", -1], "0 of memory"],
];

for (const [amount, text] of CASES) {
  test(`${amount.join(" ")} is ${text}`, () => assert.equal(resourceText(...amount), text));
}
