import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDuration } from "./duration.ts";

const cases: readonly (readonly [text: string, milliseconds: number | null])[] = [
  ["250ms", 250],
  ["0s", 0],
  ["90s", 90_000],
  ["2m", 120_000],
  ["24h", 86_400_000],
  ["8784h", 31_622_400_000],
  ["8785h", null],
  ["999999999999h", null],
  ["9999999999999s", null],
  ["90", null],
  ["1.5s", null],
  ["-1s", null],
  ["010s", null],
  ["90 s", null],
  ["1h30m", null],
  ["", null],
];

for (const [text, milliseconds] of cases) {
  test(`"${text}" is ${milliseconds === null ? "no duration" : `${milliseconds} ms`}`, () => {
    assert.equal(parseDuration(text), milliseconds);
  });
}
