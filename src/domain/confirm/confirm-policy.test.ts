import assert from "node:assert/strict";
import { test } from "node:test";
import { parseConfirm } from "./confirm-policy.ts";

for (const [text, expected] of [
  ["off", "off"],
  ["90s", 90_000],
  ["1000ms", 1_000],
  ["2m", 120_000],
  ["999ms", null],
  ["0", null],
  ["90", null],
  ["OFF", null],
  ["", null],
] as const) {
  test(`"${text}" is ${expected === null ? "no answer" : expected}`, () => assert.equal(parseConfirm(text), expected));
}
