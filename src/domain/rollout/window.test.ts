import assert from "node:assert/strict";
import { test } from "node:test";
import type { Window } from "../spec/cluster-spec.ts";
import { isOpen, nextOpening, parseWindow } from "./window.ts";

function window(text: string): Window {
  const read = parseWindow(text);
  assert.ok(!("problem" in read), `${text}: ${"problem" in read && read.problem}`);
  return read;
}

const ALL = [0, 1, 2, 3, 4, 5, 6];
const READ: Readonly<Record<string, Omit<Window, "text">>> = {
  "Mon..Thu 02:00-04:00 Europe/Berlin": { days: [1, 2, 3, 4], fromMinute: 120, toMinute: 240, zone: "Europe/Berlin" },
  "Sat,Sun 01:00-05:00": { days: [0, 6], fromMinute: 60, toMinute: 300, zone: "UTC" },
  "daily 22:00-06:00": { days: ALL, fromMinute: 1320, toMinute: 360, zone: "UTC" },
  "02:00-04:00": { days: ALL, fromMinute: 120, toMinute: 240, zone: "UTC" },
  "fri..mon,wed 00:00-24:00": { days: [0, 1, 3, 5, 6], fromMinute: 0, toMinute: 1440, zone: "UTC" },
};

for (const [text, expected] of Object.entries(READ)) {
  test(`reads ${text}`, () => assert.deepEqual(window(text), { text, ...expected }));
}

const REFUSED: Readonly<Record<string, RegExp>> = {
  "": /the window ""/,
  Mon: /the window "Mon"/,
  "02:00-04:00 Europe/Berlin tomorrow": /the window/,
  "Mo 02:00-04:00": /the days "Mo"/,
  ", 02:00-04:00": /the days ","/,
  "Mon..Tue..Wed 02:00-04:00": /the days/,
  "02:00-25:00": /no clock shows/,
  "02:60-04:00": /no clock shows/,
  "24:00-04:00": /no clock shows/,
  "02:00-02:00": /never opens/,
  "02:00-04:00 Europe/Atlantis": /the zone "Europe\/Atlantis" .* not known/,
  "02:00-04:00 +02:00": /the zone "\+02:00"/,
};

for (const [text, problem] of Object.entries(REFUSED)) {
  test(`refuses ${JSON.stringify(text)}`, () => {
    const read = parseWindow(text);
    assert.ok("problem" in read);
    assert.match(read.problem, problem);
  });
}

/** 2026-11-21 is a Saturday. `null`: it is open then; else when it opens next. */
const OPENINGS: readonly (readonly [text: string, at: string, opens: string | null, sentence: string])[] = [
  ["Mon..Thu 02:00-04:00", "2026-11-23T02:00:00Z", null, "opens with its first minute"],
  ["Mon..Thu 02:00-04:00", "2026-11-23T03:59:59.999Z", null, "is open up to its end"],
  ["Mon..Thu 02:00-04:00", "2026-11-23T04:00:00Z", "2026-11-24T02:00:00Z", "is closed at its end"],
  ["Mon..Thu 02:00-04:00", "2026-11-26T04:00:00Z", "2026-11-30T02:00:00Z", "is closed over the weekend"],
  ["Sat 02:00-04:00", "2026-11-21T05:00:00Z", "2026-11-28T02:00:00Z", "comes back after a week"],
  ["Fri 22:00-06:00", "2026-11-21T05:59:00Z", null, "goes over midnight into a day that is not its own"],
  ["Fri 22:00-06:00", "2026-11-20T05:59:00Z", "2026-11-20T22:00:00Z", "and does not begin at that day's midnight"],
  ["Sun 22:00-06:00", "2026-11-22T23:00:00Z", null, "Sunday's night is Monday's morning"],
  ["Sun 22:00-06:00", "2026-11-23T01:00:00Z", null, "also after midnight"],
  ["00:00-24:00", "2026-11-22T12:00:00Z", null, "a whole day"],
  ["02:00-04:00 Europe/Berlin", "2026-11-21T01:30:00Z", null, "by the clock of its zone in winter"],
  ["02:00-04:00 Europe/Berlin", "2026-07-21T00:30:00Z", null, "and in summer"],
  ["02:00-04:00 America/New_York", "2026-11-21T04:00:00Z", "2026-11-21T07:00:00Z", "west of Greenwich"],
  [
    "Mon 00:00-01:00 Asia/Kathmandu",
    "2026-11-22T18:15:00Z",
    null,
    "in a zone of quarter hours, whose Monday is Sunday in UTC",
  ],
  // Berlin, 29 March 2026: at 01:00 UTC clocks go from 02:00 to 03:00.
  [
    "02:00-03:00 Europe/Berlin",
    "2026-03-29T00:30:00Z",
    "2026-03-30T00:00:00Z",
    "an hour the zone leaves out does not come",
  ],
  [
    "02:30-04:00 Europe/Berlin",
    "2026-03-29T00:30:00Z",
    "2026-03-29T01:00:00Z",
    "it opens late where its beginning is left out",
  ],
  ["04:00-05:00 Europe/Berlin", "2026-03-29T00:30:00Z", "2026-03-29T02:00:00Z", "after the change by the new time"],
  [
    "Sun 02:00-03:00 Europe/Berlin",
    "2026-03-28T12:00:00Z",
    "2026-04-05T00:00:00Z",
    "it waits a week more where its only day has no such hour",
  ],
  // Berlin, 25 October 2026: at 01:00 UTC clocks go from 03:00 to 02:00.
  ["02:00-03:00 Europe/Berlin", "2026-10-25T00:30:00Z", null, "an hour the zone repeats is open once"],
  ["02:00-03:00 Europe/Berlin", "2026-10-25T01:30:00Z", null, "and again"],
  ["02:00-03:00 Europe/Berlin", "2026-10-25T02:00:00Z", "2026-10-26T01:00:00Z", "and then closed"],
  [
    "02:30-02:45 Europe/Berlin",
    "2026-10-25T00:50:00Z",
    "2026-10-25T01:30:00Z",
    "a part of a repeated hour opens again",
  ],
  [
    "02:30-04:00 Australia/Lord_Howe",
    "2026-10-03T15:00:00Z",
    "2026-10-03T15:30:00Z",
    "where clocks move by half an hour",
  ],
];

for (const [text, at, opens, sentence] of OPENINGS) {
  test(`${text} at ${at}: ${sentence}`, () => {
    const wallMs = Date.parse(at);
    assert.equal(isOpen(window(text), wallMs), opens === null);
    assert.equal(new Date(nextOpening(window(text), wallMs)).toISOString(), new Date(opens ?? at).toISOString());
  });
}

test("through a year, half hour by half hour, the next opening is open and nothing before it was", () => {
  for (const text of [
    "Sun 02:00-03:00 Europe/Berlin",
    "Mon..Wed 23:30-00:30 America/New_York",
    "02:00-02:30 Australia/Lord_Howe",
  ]) {
    const one = window(text);
    let opening = 0;
    for (let at = Date.UTC(2026, 0, 1); at < Date.UTC(2027, 0, 1); at += 1_800_000) {
      if (at >= opening) opening = nextOpening(one, at);
      assert.ok(isOpen(one, opening), `${text}: ${new Date(opening).toISOString()}`);
      assert.equal(isOpen(one, at), opening === at, `${text}: ${new Date(at).toISOString()}`);
    }
  }
});
