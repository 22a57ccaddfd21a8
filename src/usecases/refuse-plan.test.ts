import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../adapters/sha256.ts";
import { emptySnapshot } from "../domain/cluster/empty-snapshot.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { contentIdOf, planChanges, planIdOf } from "../domain/plan/plan-changes.ts";
import { OperationError } from "../ports/operation-error.ts";
import { refusePlan } from "./refuse-plan.ts";

const plan = planChanges({
  spec: {
    cluster: "prod",
    specHash: "e".repeat(64) as SpecHash,
    units: [],
    groups: [],
    machines: [],
    admit: "any",
    loss: { agentTtlMs: 30_000, graceMs: 60_000 },
  },
  released: null,
  snapshot: emptySnapshot,
  machines: [],
  commit: "f".repeat(40) as CommitId,
  partial: null,
  sha256,
});

/** With ids of its own: nobody edited it. */
function made(changes: Partial<Plan>): Plan {
  const contents = { ...plan, ...changes };
  const document = { ...contents, contentId: contentIdOf(contents, sha256) };
  return { ...document, planId: planIdOf(document, sha256) };
}

const refusals = [{ wave: 2, set: "web@.service", up: 1, of: 3, min: 2, now: 3 }];

const REFUSED: readonly [string, Plan, string, RegExp][] = [
  ["a view", made({ partial: "the working tree" }), "plan-partial", /shows the working tree only/],
  ["one of other rules", made({ rules: plan.rules + 1 }), "plan-rules", /placement rules \d+, this fleet has \d+/],
  ["one whose document was edited", { ...plan, cluster: "other" }, "plan-altered", /its contents and its ids differ/],
  ["one whose content was edited", { ...plan, specHash: "d".repeat(64) as SpecHash }, "plan-altered", /ids differ/],
  [
    "one with a wave over budget",
    made({ refusals }),
    "budget",
    /^wave 2 would leave 1 of 3 web@\.service up, its budget is at least 2 and 3 are up now; nothing was changed$/,
  ],
  ["one with two such waves", made({ refusals: [...refusals, ...refusals] }), "budget", /\(and 1 more such\)/],
];

for (const [what, refused, code, message] of REFUSED) {
  test(`not applied, whatever the cluster is like: ${what}`, () => {
    assert.throws(
      () => refusePlan(refused, sha256),
      (error) => {
        assert.ok(error instanceof OperationError);
        assert.equal(error.code, code);
        assert.match(error.message, message);
        return true;
      },
    );
  });
}

test("a plan as it was made is not refused", () => {
  assert.doesNotThrow(() => refusePlan(plan, sha256));
  assert.doesNotThrow(() => refusePlan(made({ format_version: "1.3" }), sha256));
});
