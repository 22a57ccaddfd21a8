import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, UnitName } from "../names.ts";
import { BURST_MAX, BURST_WINDOW_MS, decideNews, memoryFrom, NO_MEMORY, QUIET_MS, toldKeys } from "./decide-news.ts";
import { keyOf, type Thing, thingsOf } from "./thing.ts";

const COMMIT = "c".repeat(40) as CommitId;
const failed = (unit: string): Thing => ({ event: "failed", unit: unit as UnitName, machine: "m1", detail: "exit" });
const HELD: Thing = { event: "held", seq: 4, commit: COMMIT, units: [] };
const STALE: Thing = { event: "stale", because: "engine", detail: "no commit" };

/** Seconds at which things are so → seconds and keys at which they are told. */
function toldOf(times: readonly (readonly [seconds: number, things: readonly Thing[]])[]) {
  let memory = NO_MEMORY;
  const told: string[] = [];
  for (const [seconds, things] of times) {
    const news = decideNews(things, memory, seconds * 1000);
    memory = news.memory;
    for (const thing of news.things) told.push(`${seconds} ${keyOf(thing)}`);
    if (news.more > 0) told.push(`${seconds} and ${news.more} more`);
  }
  return told;
}

const A = failed("a.service");
const FAILED = "failed a.service m1";

const cases: readonly (readonly [
  says: string,
  times: readonly (readonly [number, readonly Thing[]])[],
  told: readonly string[],
])[] = [
  [
    "a held rollout is told at once, and once",
    [
      [0, [HELD]],
      [1, [HELD]],
      [9_000, [HELD]],
    ],
    ["0 held @4"],
  ],
  [
    "a failed unit is told once it has failed for ten seconds",
    [
      [0, [A]],
      [9, [A]],
      [10, [A]],
      [60, [A]],
    ],
    [`10 ${FAILED}`],
  ],
  [
    "one that systemd restarts before that is nobody's news",
    [
      [0, [A]],
      [5, []],
      [12, [A]],
      [15, []],
    ],
    [],
  ],
  [
    "one that comes back before it was told begins anew",
    [
      [0, [A]],
      [5, []],
      [8, [A]],
      [12, [A]],
      [18, [A]],
    ],
    [`18 ${FAILED}`],
  ],
  [
    "a unit that flaps is told once",
    [
      [0, [A]],
      [10, [A]],
      [20, []],
      [30, [A]],
      [60, [A]],
      [90, []],
      [99, [A]],
    ],
    [`10 ${FAILED}`],
  ],
  [
    "after an hour without it, it is news again",
    [
      [0, [A]],
      [10, [A]],
      [20, []],
      [20 + QUIET_MS / 1000, []],
      [4_000, [A]],
      [4_010, [A]],
    ],
    [`10 ${FAILED}`, `4010 ${FAILED}`],
  ],
  [
    "a cluster that does not follow is told after a minute",
    [
      [0, [STALE]],
      [59, [STALE]],
      [60, [STALE]],
    ],
    ["60 stale engine"],
  ],
];

for (const [says, times, told] of cases) {
  test(says, () => assert.deepEqual(toldOf(times), told));
}

test("what fails all at once is told by name up to a bound, and by number beyond it", () => {
  const many = Array.from({ length: BURST_MAX + 3 }, (_, index) => failed(`u${index}.service`));
  const told = toldOf([
    [0, many],
    [10, many],
    [11, [...many, HELD]],
    [11 + BURST_WINDOW_MS / 1000, [...many, HELD, A]],
    [30 + BURST_WINDOW_MS / 1000, [...many, HELD, A]],
  ]);
  assert.equal(told.length, BURST_MAX + 3);
  assert.deepEqual(told.slice(BURST_MAX), ["10 and 3 more", "11 and 1 more", `630 ${FAILED}`]);
});

test("another leader does not tell again what was told, and tells what was not", () => {
  const first = decideNews([HELD], NO_MEMORY, 0);
  assert.deepEqual(toldKeys(first.memory), ["held @4"]);
  const next = memoryFrom(toldKeys(first.memory), 500_000);
  const other: Thing = { event: "rolled-back", seq: 4, commit: COMMIT, units: [] };
  assert.deepEqual(decideNews([HELD, other], next, 500_001).things, [other]);
});

test("an engine's report is told of as things, each under a key of its own", () => {
  const because = { code: "failed", detail: "exit-code" } as const;
  const failures = [{ unit: "a.service" as UnitName, machine: "m" as never, because }];
  const rollout = { seq: 7, since: "", base: null, openRings: 1, failures };
  const sync = (code: string) => ({ held: { commit: COMMIT, reason: { code } as never, since: "" } });
  const keys = (report: Parameters<typeof thingsOf>[1]) => thingsOf(COMMIT, report, []).map(keyOf);
  const none = { problem: null };
  assert.deepEqual(keys(null), []);
  assert.deepEqual(keys({ ...none, rollout: { ...rollout, phase: "held" } }), ["held @7"]);
  assert.deepEqual(keys({ ...none, rollout: { ...rollout, phase: "rolling-back" } }), ["rolled-back @7"]);
  assert.deepEqual(
    keys({ ...none, rollout: { ...rollout, phase: "rolled-back" } }),
    ["rolled-back @7"],
    "the same thing",
  );
  assert.deepEqual(keys({ ...none, sync: sync("restarts") }), [`held ${COMMIT} restarts`]);
  assert.deepEqual(keys({ ...none, sync: sync("locked") }), [], "over in a moment");
  const trouble = { code: "source-unreachable", detail: "no route", since: "" };
  assert.deepEqual(keys({ ...none, sync: { trouble } }), [], "a passing fault");
  assert.deepEqual(keys({ ...none, sync: { trouble: { ...trouble, isFrozen: true } } }), ["stale branch"]);
  assert.deepEqual(keys({ problem: "cannot read the commit" }), ["stale engine"]);
});
