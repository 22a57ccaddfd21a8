import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseTimeSpan } from "./time-span.ts";

describe("a time span is read as systemd reads it", () => {
  const cases: readonly [what: string, text: string, milliseconds: number | null][] = [
    ["a bare number is seconds", "90", 90_000],
    ["units may follow with or without a space", "5 s", 5_000],
    ["parts add up", "1min 30s", 90_000],
    ["parts need no space between them", "2h15min", 8_100_000],
    ["fractions", "1.5s", 1_500],
    ["a fraction without a whole part", ".5", 500],
    ["below a millisecond", "500us", 0.5],
    ["small m is minutes", "2m", 120_000],
    ["no end at all is an answer", "infinity", Number.POSITIVE_INFINITY],
    ["zero", "0", 0],
    ["nothing is no span", "", null],
    ["another unit is no span", "5 lightyears", null],
    ["a negative one is none", "-5", null],
    ["words are none", "soon", null],
  ];
  for (const [what, text, milliseconds] of cases) {
    test(what, () => assert.equal(parseTimeSpan(text), milliseconds));
  }
});
