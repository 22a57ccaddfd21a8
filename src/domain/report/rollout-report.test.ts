import assert from "node:assert/strict";
import { test } from "node:test";
import type { ReleaseId, RolloutRecord } from "../rollout/rollout-record.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import type { Ring } from "../spec/cluster-spec.ts";
import { isWorthTelling, rolloutReport } from "./rollout-report.ts";

const RELEASE = { seq: 3, commit: "c", specHash: "s" } as unknown as ReleaseId;
const WINDOW = { text: "Sat 01:00-05:00", days: [6], fromMinute: 60, toMinute: 300, zone: "UTC" };
const RINGS: readonly Ring[] = [
  { name: "early", match: null, soakMs: 60_000, window: null },
  { name: "late", match: null, soakMs: 0, window: WINDOW },
];
const record = (changes: Partial<RolloutRecord>): RolloutRecord => ({ ...startRollout(RELEASE, null, ""), ...changes });
const told = (changes: Partial<RolloutRecord>, rings?: readonly Ring[], awaits: number | null = null) =>
  rolloutReport(
    {
      record: record(changes),
      spec: { units: [], ...(rings === undefined ? {} : { rings }) },
      counts: { changed: 2, left: 5 },
      awaits,
      baking: [
        { set: "web", ms: 10_000 },
        { set: "db", ms: 10_000 },
      ],
    },
    (key, leftMs) => `${key}: ${leftMs}`,
  );

test("of a rollout that is done nothing is told", () => {
  assert.equal(told({ phase: "done" }), null);
});

test("of one that goes on: how much is left, what soaks and bakes, and until when", () => {
  const report = told({ soakedMs: 20_000, bakes: [{ set: "web", healthyForMs: 4_000 }] }, RINGS);
  assert.deepEqual([report?.phase, report?.changed, report?.left, report?.rings], ["rolling", 2, 5, ["early", "late"]]);
  assert.deepEqual(report?.soak, { ms: 60_000, until: "soak 1: 40000" });
  assert.deepEqual(report?.baking, [{ set: "web", ms: 10_000, until: "bake web: 6000" }], "db is not healthy");
  assert.equal(report?.window, undefined);
});

test("of one that has soaked: for which window it waits", () => {
  const report = told({ soakedMs: 60_000 }, RINGS, 1);
  assert.deepEqual([report?.soak, report?.window], [undefined, { ring: "late", text: "Sat 01:00-05:00" }]);
});

test("what only goes on is told once it takes longer than most, what waits for time or for somebody at once", () => {
  const briefly = { soakedMs: 0, bakes: [] };
  assert.deepEqual(
    [9_999, 10_000].map((ms) => isWorthTelling(told(briefly, RINGS)!, ms)),
    [false, true],
  );
  assert.ok(isWorthTelling(told(briefly, RINGS, 1)!, 0), "a window");
  assert.ok(isWorthTelling(told({ soakedMs: 1 }, RINGS)!, 0), "a soak of a minute");
  assert.ok(isWorthTelling(told({ bakes: [{ set: "web", healthyForMs: 0 }] })!, 0), "a bake of ten seconds");
  assert.ok(isWorthTelling(told({ phase: "paused" })!, 0));
});

test("of one that is held: what failed, and why it did not go back", () => {
  const failures = [{ unit: "web.service", machine: "1", because: { code: "failed", detail: "exit-code" } }];
  const report = told({ phase: "held", noWayBack: "no-base", failures } as unknown as Partial<RolloutRecord>);
  assert.deepEqual([report?.failures, report?.noWayBack, report?.rings], [failures, "no-base", undefined]);
});
