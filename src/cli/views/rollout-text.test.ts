import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, MachineId, SpecHash, UnitName } from "../../domain/names.ts";
import type { RolloutStatus } from "../../domain/report/rollout-status.ts";
import type { RolloutFailure } from "../../domain/rollout/rollout-record.ts";
import { nextOf, nowTexts, rolloutSection, rolloutText } from "./rollout-text.ts";

const NOW_MS = Date.parse("2026-01-01T00:05:00.000Z");
const SINCE = "2026-01-01T00:00:00.000Z";
const IN_AN_HOUR = "2026-01-01T01:05:00.000Z";
const base = { seq: 1, commit: "b".repeat(40) as CommitId, specHash: "s" as SpecHash };
const rolling: RolloutStatus = {
  ...{ seq: 2, commit: "c".repeat(40) as CommitId, phase: "rolling", since: SINCE, base, openRings: 1 },
  ...{ failures: [], waits: [] },
};
const failure = (unit: string): RolloutFailure => ({
  unit: unit as UnitName,
  machine: "m1" as MachineId,
  because: { code: "deadline", afterMs: 120_000, detail: "activating (start)" },
});
const nameOf = (machine: MachineId): string => machine;

const CASES: readonly [what: string, status: Partial<RolloutStatus>, now: readonly string[]][] = [
  ["changes go out", {}, ["changes go out wave by wave"]],
  ["in a ring", { rings: ["early", "rest"] }, ["ring 1 of 2 (early) changes"]],
  ["in the machines beside all rings", { rings: ["early"], openRings: 2 }, ["the ring of all others changes"]],
  [
    "a ring soaks",
    { rings: ["early", "rest"], soak: { ms: 1, until: IN_AN_HOUR } },
    [`ring 1 of 2 (early) soaks until ${IN_AN_HOUR} (in 60 min)`],
  ],
  [
    "a window is closed",
    { rings: ["early", "rest"], window: { ring: "rest", text: "01:05-02:00", opens: IN_AN_HOUR } },
    [`ring 1 of 2 (early): ring rest is next, in its window 01:05-02:00, which opens ${IN_AN_HOUR} (in 60 min)`],
  ],
  [
    "canaries bake",
    { baking: [{ set: "web@.service", ms: 1, until: IN_AN_HOUR }] },
    [`the canaries of web@.service must be healthy until ${IN_AN_HOUR} (in 60 min)`],
  ],
  ["nobody leads", { leaderless: true }, ["changes go out wave by wave", "no engine leads, so that nothing goes on"]],
  ["it is held", { phase: "held" }, ["held, because a change failed: no further wave begins"]],
  [
    "it was to go back and cannot",
    { phase: "held", noWayBack: "no-base" },
    [
      "held, because a change failed, and there is no way back: no release before it has ended well: no further wave begins",
    ],
  ],
  ["it goes back", { phase: "rolling-back" }, ["a change failed, and all goes back to release 1"]],
  [
    "somebody aborted it",
    { phase: "aborted", order: { order: "abort", by: "ada", obeyed: true } },
    ["aborted by ada: what it has changed stays"],
  ],
];

for (const [what, status, now] of CASES) {
  test(`what a rollout is at: ${what}`, () => {
    assert.deepEqual(nowTexts({ ...rolling, ...status }, NOW_MS), now);
  });
}

test("a phase that somebody has to end has a next step, and no other", () => {
  const phases = ["rolling", "rolling-back", "done", "paused", "held", "aborted", "rolled-back"] as const;
  const without = phases.filter((phase) => nextOf({ ...rolling, phase }) === null);
  assert.deepEqual(without, ["rolling", "rolling-back", "done"]);
  assert.match(nextOf({ ...rolling, phase: "held", failures: [failure("a.service")] })!, /; fleet why a\.service$/);
});

test("of many failures eight are shown and the rest counted", () => {
  const failures = Array.from({ length: 11 }, (_, index) => failure(`web@${index}.service`));
  const lines = rolloutText({ ...rolling, phase: "held", failures }, nameOf, NOW_MS);
  const first = lines.findIndex((line) => line.startsWith("failed"));
  assert.equal(lines[first], "failed      web@0.service on m1: not healthy within 2 min: activating (start)");
  assert.equal(lines[first + 8], "            and 3 more");
});

test("in status a rollout that is done or has only begun has no line", () => {
  const lines = (status: Partial<RolloutStatus>) => rolloutSection({ ...rolling, ...status }, nameOf, NOW_MS).length;
  assert.equal(lines({ phase: "done" }), 0);
  assert.equal(lines({ since: "2026-01-01T00:04:55.000Z" }), 0);
  assert.equal(lines({}), 1);
  assert.equal(lines({ phase: "paused", since: "2026-01-01T00:04:55.000Z" }), 2);
  assert.deepEqual(rolloutSection(null, nameOf, NOW_MS), []);
});
