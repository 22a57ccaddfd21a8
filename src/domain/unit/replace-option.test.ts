import assert from "node:assert/strict";
import { test } from "node:test";
import { parseReplace, replaceAfterMs } from "./replace-option.ts";

const VALUES: readonly (readonly [text: string, value: string | null, afterMs: number | null])[] = [
  ["yes", "yes", null],
  ["no", "no", null],
  ["after=10m", "after=600s", 600_000],
  ["after=600s", "after=600s", 600_000],
  ["after=0s", "after=0s", 0],
  ["after=2500ms", "after=2500ms", 2_500],
  ["after=", null, null],
  ["after=-1s", null, null],
  ["after=10", null, null],
  ["10m", null, null],
  ["never", null, null],
  ["No", null, null],
  ["web.service", null, null],
];

for (const [text, value, afterMs] of VALUES) {
  test(`Replace=${text} is ${value ?? "refused"}`, () => {
    assert.equal(parseReplace(text), value);
    assert.equal(value === null ? null : replaceAfterMs(value), afterMs);
  });
}
