import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../../test/compile-repository.ts";
import type { MachineId, UnitName } from "../names.ts";
import { isCheckpoint } from "./is-checkpoint.ts";
import { type Ailment, isBaked, judgeRollout, type RolloutSight } from "./judge-rollout.ts";
import type { ReplicaState } from "./plan-rollout.ts";
import type { ReleaseId, RolloutOrder, RolloutPhase, RolloutRecord } from "./rollout-record.ts";
import { baseAfter, startRollout } from "./start-rollout.ts";

const DEADLINE_MS = 120_000;
const THEN = "2026-01-01T00:00:00.000Z";
const NOW = "2026-01-02T00:00:00.000Z";
const WEB = "web.service" as UnitName;
const DB = "db.service" as UnitName;
const [M0, M1, M2] = ["0", "1", "2"].map((digit) => digit.repeat(32)) as [MachineId, MachineId, MachineId];
const SPEC = compileRepository({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
  [`units/${WEB}`]: "[Service]\nExecStart=/bin/web\n",
  [`units/${DB}`]: "[Service]\nExecStart=/bin/db\n",
}).spec!;
const release = (seq: number): ReleaseId => ({
  seq,
  commit: `c${seq}` as ReleaseId["commit"],
  specHash: `s${seq}` as ReleaseId["specHash"],
});
const replica = (unit: UnitName, machine: MachineId) => ({ unit, machine });
const ON_ITS_WAY: Ailment = { kind: "on-its-way", detail: "activating (start)" };
const FAILED: Ailment = { kind: "failed", detail: "failed: exit-code" };
const ENDED: Ailment = { kind: "ended", detail: "inactive (dead)" };

/** One replica of `web` on m0 is changed; what is not said is as in a rollout that goes on, with more to change. */
interface Case {
  readonly record?: Partial<RolloutRecord>;
  readonly sight?: Partial<RolloutSight>;
  readonly state?: ReplicaState;
  readonly ailment?: Ailment;
  readonly waitedMs?: number;
  readonly endedMs?: number;
  readonly onFailure?: "rollback";
  readonly is: RolloutPhase;
  readonly and?: Partial<RolloutRecord>;
}

const failure = { unit: WEB, machine: M0, because: { code: "failed", detail: FAILED.detail } } as const;
const order = (order: RolloutOrder["order"], revision = 7) => ({ order, revision });
/** Two rings: m0 is in the first, m1 in the second. */
const rings = (soakMs: number, isOpen = true): RolloutSight["rings"] => ({
  count: 2,
  ringOf: (machine) => (machine === M0 ? 0 : 1),
  soakMs: () => soakMs,
  isOpen: () => isOpen,
});

const CASES: Readonly<Record<string, Case>> = {
  "while there is more to change it goes on": { is: "rolling" },
  "it is done once nothing is left and what was changed is healthy": { sight: { left: [] }, is: "done" },
  "not while that is up for too short": { sight: { left: [] }, state: "settling", is: "rolling" },
  "not while nobody can say how it is": { sight: { left: [] }, state: "unknown", is: "rolling" },
  "nor does one that is on its way up fail it": { state: "starting", is: "rolling" },
  "a machine that is away is not waited for": {
    sight: { left: [], isAway: () => true },
    state: "down",
    ailment: FAILED,
    is: "done",
  },
  "what failed holds the release": { state: "down", ailment: FAILED, is: "held", and: { failures: [failure] } },
  "also the last of it": { sight: { left: [] }, state: "down", ailment: FAILED, is: "held" },
  "what ended is given the time of a start": {
    ...{ state: "down", ailment: ENDED, waitedMs: 5_000, endedMs: 5_000, is: "rolling" },
  },
  "what was stopping for long is given it as well once it has stopped": {
    ...{ state: "down", ailment: ENDED, waitedMs: 60_000, is: "rolling" },
  },
  "and has failed then": {
    state: "down",
    ailment: ENDED,
    waitedMs: 9_600,
    endedMs: 9_600,
    is: "held",
    and: { failures: [{ ...failure, because: { code: "failed", detail: ENDED.detail } }] },
  },
  "what is not healthy has until its deadline": { state: "starting", waitedMs: DEADLINE_MS - 600, is: "rolling" },
  "and has failed then, in the words it has": {
    state: "starting",
    waitedMs: DEADLINE_MS - 500,
    is: "held",
    and: {
      failures: [{ ...failure, because: { code: "deadline", afterMs: DEADLINE_MS, detail: ON_ITS_WAY.detail } }],
    },
  },
  "a deadline is not counted while an image is on its way": {
    ...{ state: "starting", ailment: { kind: "fetching", detail: "" }, waitedMs: DEADLINE_MS, is: "rolling" },
  },
  "a deadline is not counted for a machine that is away": {
    sight: { isAway: () => true },
    state: "starting",
    waitedMs: DEADLINE_MS,
    is: "rolling",
  },
  "what asks for it goes back": { state: "down", ailment: FAILED, onFailure: "rollback", is: "rolling-back" },
  "where there is nothing to go back to, it is held, and says so": {
    sight: { base: "none" },
    state: "down",
    ailment: FAILED,
    onFailure: "rollback",
    is: "held",
    and: { noWayBack: "no-base" },
  },
  "nor where that cannot be read": {
    sight: { base: "unreadable" },
    state: "down",
    ailment: FAILED,
    onFailure: "rollback",
    is: "held",
    and: { noWayBack: "base-unreadable" },
  },
  "what was excused does not fail it": {
    record: { excused: [replica(WEB, M0)] },
    state: "down",
    ailment: FAILED,
    is: "rolling",
  },
  "and does not keep it from being done": {
    record: { excused: [replica(WEB, M0)] },
    sight: { left: [] },
    state: "down",
    ailment: FAILED,
    is: "done",
  },
  "what is held stays so although what failed is up": { record: { phase: "held", failures: [failure] }, is: "held" },
  "what was under way may still ask to go back": {
    record: { phase: "held", failures: [{ ...failure, unit: DB }] },
    state: "down",
    ailment: FAILED,
    onFailure: "rollback",
    is: "rolling-back",
  },
  "it goes back until everything is back": {
    record: { phase: "rolling-back", failures: [failure] },
    is: "rolling-back",
  },
  "and has gone back once that is healthy": {
    record: { phase: "rolling-back", failures: [failure] },
    sight: { left: [] },
    is: "rolled-back",
    and: { failures: [failure] },
  },
  "what fails on the way back is told, and not tried again": {
    record: { phase: "rolling-back", failures: [{ ...failure, unit: DB }] },
    sight: { left: [] },
    state: "down",
    ailment: FAILED,
    onFailure: "rollback",
    is: "rolled-back",
    and: { failures: [{ ...failure, unit: DB }, failure] },
  },
  "what went back stays so, whatever fails": {
    record: { phase: "rolled-back" },
    state: "down",
    ailment: FAILED,
    is: "rolled-back",
  },
  "what is done is not judged again": { record: { phase: "done" }, state: "down", ailment: FAILED, is: "done" },
  "it is paused": { sight: { order: order("pause") }, is: "paused", and: { orderRevision: 7, since: NOW } },
  "and judged by nobody then": { record: { phase: "paused" }, state: "down", ailment: FAILED, is: "paused" },
  "it is resumed": { record: { phase: "paused" }, sight: { order: order("resume") }, is: "rolling" },
  "an order is carried out once": {
    record: { phase: "paused", orderRevision: 7 },
    sight: { order: order("resume") },
    is: "paused",
  },
  "who resumes what is held excuses what failed": {
    record: { phase: "held", failures: [failure], noWayBack: "no-base" },
    sight: { order: order("resume") },
    state: "down",
    ailment: FAILED,
    is: "rolling",
    and: { failures: [], excused: [replica(WEB, M0)] },
  },
  "it is aborted": { record: { phase: "held", failures: [failure] }, sight: { order: order("abort") }, is: "aborted" },
  "and never goes on": { record: { phase: "aborted" }, sight: { order: order("resume") }, is: "aborted" },
  "what was rolled back is not resumed": {
    record: { phase: "rolled-back" },
    sight: { order: order("resume") },
    is: "rolled-back",
    and: { orderRevision: 7 },
  },
  "a ring soaks before the next opens": {
    record: { soakedMs: 1_000 },
    sight: { left: [replica(WEB, M1)], rings: rings(60_000) },
    is: "rolling",
    and: { soakedMs: 1_500, openRings: 1 },
  },
  "and the next opens then": {
    record: { soakedMs: 59_800 },
    sight: { left: [replica(WEB, M1)], rings: rings(60_000) },
    is: "rolling",
    and: { soakedMs: 0, openRings: 2 },
  },
  "not while its window is closed": {
    record: { soakedMs: 59_800 },
    sight: { left: [replica(WEB, M1)], rings: rings(60_000, false) },
    is: "rolling",
    and: { soakedMs: 60_000, openRings: 1 },
  },
  "one in which nothing is left to change waits for no window": {
    sight: {
      left: [replica(WEB, M2)],
      rings: { ...rings(0, false), count: 3, ringOf: (at) => [M0, M1, M2].indexOf(at) },
    },
    is: "rolling",
    and: { openRings: 2 },
  },
  "what is kept out by what later rings keep holds no ring up, and ends nothing": {
    sight: { left: [replica(DB, M0)], isKeptOut: ({ unit }) => unit === DB, rings: rings(0) },
    is: "rolling",
    and: { openRings: 2 },
  },
  "not while the open one has something left": {
    record: { soakedMs: 59_800 },
    sight: { left: [replica(DB, M0), replica(WEB, M1)], rings: rings(60_000) },
    is: "rolling",
    and: { soakedMs: 0, openRings: 1 },
  },
  "what is not healthy in it begins the soak anew": {
    record: { soakedMs: 59_800 },
    sight: { left: [replica(WEB, M1)], rings: rings(60_000) },
    state: "starting",
    is: "rolling",
    and: { soakedMs: 0, openRings: 1 },
  },
  "a ring in which nothing changed is not soaked": {
    sight: { changed: [], left: [replica(WEB, M1)], rings: rings(60_000) },
    is: "rolling",
    and: { openRings: 2 },
  },
  "a soak begins with the look that finds all healthy, not with the one before": {
    sight: { left: [replica(WEB, M1)], rings: rings(60_000) },
    is: "rolling",
    and: { soakedMs: 1 },
  },
  "what nobody looked at for an hour was not seen to be healthy for it": {
    record: { soakedMs: 1 },
    sight: { left: [replica(WEB, M1)], rings: rings(7_200_000), elapsedMs: 3_600_000 },
    is: "rolling",
    and: { soakedMs: 10_001 },
  },
  "canaries bake from the look on that finds them healthy": {
    sight: { canaries: [{ set: "web.service", replicas: [replica(WEB, M0)] }] },
    is: "rolling",
    and: { bakes: [{ set: "web.service", healthyForMs: 0 }] },
  },
  "canaries that are healthy bake": {
    record: { bakes: [{ set: "web.service", healthyForMs: 1_000 }] },
    sight: { canaries: [{ set: "web.service", replicas: [replica(WEB, M0)] }] },
    is: "rolling",
    and: { bakes: [{ set: "web.service", healthyForMs: 1_500 }] },
  },
  "and begin anew where one is not": {
    record: { bakes: [{ set: "web.service", healthyForMs: 1_000 }] },
    sight: { canaries: [{ set: "web.service", replicas: [replica(WEB, M0)] }] },
    state: "starting",
    is: "rolling",
    and: { bakes: [] },
  },
  "those nobody waits for any more keep what they have": {
    record: { bakes: [{ set: "db.service", healthyForMs: 1_000 }] },
    is: "rolling",
    and: { bakes: [{ set: "db.service", healthyForMs: 1_000 }] },
  },
};

for (const [sentence, one] of Object.entries(CASES)) {
  test(sentence, () => {
    const units = SPEC.units.map((unit) => ({
      ...unit,
      rollout: {
        ...unit.rollout,
        healthDeadlineMs: DEADLINE_MS,
        ...(one.onFailure === undefined ? {} : { onFailure: one.onFailure }),
      },
    }));
    const record = { ...startRollout(release(3), null, THEN), base: release(2), ...one.record };
    const judged = judgeRollout({
      record,
      waited: new Map(
        one.waitedMs === undefined
          ? []
          : [[`${WEB}/${M0}`, { unhealthyMs: one.waitedMs, endedMs: one.endedMs ?? null }]],
      ),
      spec: { ...SPEC, units },
      base: "known",
      order: null,
      changed: [replica(WEB, M0)],
      left: [replica(DB, M0)],
      stateOf: () => one.state ?? "up",
      isAway: () => false,
      ailmentOf: () => one.ailment ?? ON_ITS_WAY,
      elapsedMs: 500,
      now: NOW,
      rings: { count: 1, ringOf: () => 0, soakMs: () => 0, isOpen: () => true },
      canaries: [],
      ...one.sight,
    });
    assert.equal(judged.record.phase, one.is);
    assert.equal(judged.record.since, one.is === record.phase ? THEN : NOW);
    assert.deepEqual({ ...judged.record, ...one.and }, judged.record);
  });
}

test("the base of a release is the last one that ended well, and not one that did not", () => {
  const done: RolloutRecord = { ...startRollout(release(2), null, THEN), phase: "done", base: release(1) };
  assert.deepEqual(baseAfter(done), release(2));
  for (const phase of ["rolling", "held", "aborted", "paused", "rolling-back", "rolled-back"] as const)
    assert.deepEqual(startRollout(release(3), { ...done, phase }, THEN).base, release(1), phase);
});

test("durations are written down as far as losing them would be felt, and what says anything else at once", () => {
  const stored = { ...startRollout(release(3), null, THEN), soakedMs: 100_000 };
  const hours = 3_600_000;
  const cases: readonly [string, Partial<RolloutRecord>, number, boolean][] = [
    ["nothing", {}, 0, false],
    ["a little more", { soakedMs: 159_999 }, 0, false],
    ["a minute more", { soakedMs: 160_000 }, 0, true],
    ["a minute more of two days", { soakedMs: 160_000 }, 48 * hours, false],
    ["an hour more of two days", { soakedMs: 100_000 + hours }, 48 * hours, true],
    ["it begins anew", { soakedMs: 0 }, 48 * hours, true],
    ["another phase", { phase: "done" }, 0, true],
    ["another ring", { openRings: 2 }, 0, true],
    ["an order", { orderRevision: 1 }, 0, true],
    ["a failure", { failures: [failure] }, 0, true],
    ["a bake that has begun", { bakes: [{ set: "web", healthyForMs: 1_000 }] }, 0, false],
    ["a bake that is a minute old", { bakes: [{ set: "web", healthyForMs: 60_000 }] }, 0, true],
  ];
  for (const [what, next, longestMs, is] of cases)
    assert.equal(isCheckpoint(stored, { ...stored, ...next }, longestMs), is, what);
});

test("canaries are baked after their time, and never before they were seen to be healthy", () => {
  const record = startRollout(release(3), null, THEN);
  assert.equal(isBaked(record, "web", 0), false);
  const baking = { ...record, bakes: [{ set: "web", healthyForMs: 60_000 }] };
  assert.deepEqual([isBaked(baking, "web", 60_000), isBaked(baking, "web", 60_001)], [true, false]);
});
