import assert from "node:assert/strict";
import { test } from "node:test";
import { ROLLING } from "../../../test/rolling-status.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { RolloutStatus } from "../report/rollout-status.ts";
import { rolloutVerdict } from "./rollout-verdict.ts";

const WEB = "web@1.service" as UnitName;
const M1 = "m1" as MachineId;
const failureOf = (unit: string, machine: string) => ({
  unit: unit as UnitName,
  machine: machine as MachineId,
  because: { code: "failed", detail: "exit-code" } as const,
});
const window = { ring: "early", text: "Sat 01:00-05:00", opens: null };
const baking = [{ set: "web@.service", ms: 1, until: "" }];

const CASES: readonly [what: string, rollout: Partial<RolloutStatus>, ring: number | null, expected: string | null][] =
  [
    ["nothing keeps it while changes go out", {}, null, null],
    ["nor where the ring of its machine is open", {}, 0, null],
    ["a rollout that is over keeps nothing", { phase: "done" }, 3, null],
    ["the ring of its machine is not open yet", {}, 1, "waits rollout ring"],
    ["its ring is open and its window is closed", { window }, 0, "waits rollout ring"],
    ["the canaries of its set are not done", { baking }, null, "waits rollout canaries"],
    ["those of another set are no matter", { baking: [{ ...baking[0]!, set: "api@.service" }] }, null, null],
    ["somebody paused it", { phase: "paused" }, null, "waits rollout phase"],
    ["all goes back", { phase: "rolling-back" }, null, "waits rollout phase"],
    ["another unit failed, and it is held", { phase: "held", failures: [failureOf("db", "m1")] }, null, "stuck held"],
    [
      "its own failure was rolled back",
      { phase: "rolled-back", failures: [failureOf(WEB, "m1")] },
      null,
      "stuck problem",
    ],
    ["its copy elsewhere failed", { phase: "rolled-back", failures: [failureOf(WEB, "m2")] }, null, "stuck stopped"],
    ["somebody aborted it", { phase: "aborted" }, null, "stuck stopped"],
  ];

for (const [what, rollout, ring, expected] of CASES) {
  test(`what a rollout keeps of a unit: ${what}`, () => {
    const verdict = rolloutVerdict({ ...ROLLING, ...rollout }, { unit: WEB, machine: M1, ring });
    const told = verdict === null ? null : [verdict.state, verdict.because.code];
    const because = verdict?.because.code === "rollout" ? [verdict.because.because] : [];
    assert.equal(told === null ? null : [...told, ...because].join(" "), expected);
  });
}

test("before an engine has begun there is no rollout to keep anything", () => {
  assert.equal(rolloutVerdict(null, { unit: WEB, machine: M1, ring: 1 }), null);
});
