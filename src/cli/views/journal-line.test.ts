import assert from "node:assert/strict";
import { test } from "node:test";
import { journalEntry, journalLine } from "./journal-line.ts";

const AT = { __REALTIME_TIMESTAMP: "1767225600000000", SYSLOG_IDENTIFIER: "web", _PID: "12" };

const CASES: readonly [sentence: string, line: string, shown: string | null][] = [
  ["text", JSON.stringify({ ...AT, MESSAGE: "up" }), "2026-01-01T00:00:00.000Z m1 web[12]: up"],
  ["bytes", JSON.stringify({ ...AT, MESSAGE: [104, 105, 27] }), "2026-01-01T00:00:00.000Z m1 web[12]: hi\\x1b"],
  ["two lines", JSON.stringify({ ...AT, MESSAGE: "a\nb" }), "2026-01-01T00:00:00.000Z m1 web[12]: a\\nb"],
  ["no message", JSON.stringify({ ...AT, MESSAGE: null }), "2026-01-01T00:00:00.000Z m1 web[12]: [long or no message]"],
  ["no time and no name", '{"MESSAGE":"up"}', "1970-01-01T00:00:00.000Z m1 : up"],
  ["a time that is none", '{"__REALTIME_TIMESTAMP":"1e300","MESSAGE":"up"}', "1970-01-01T00:00:00.000Z m1 : up"],
  ["a line that is cut", '{"MESSAGE":"u', null],
  ["what is no entry", "null", null],
];
for (const [sentence, line, shown] of CASES) {
  test(`a line of a journal: ${sentence}`, () => {
    const entry = journalEntry(line);
    assert.equal(entry === null ? null : journalLine("m1", entry), shown);
  });
}
