import assert from "node:assert/strict";
import { test } from "node:test";
import { emptySnapshot } from "../domain/cluster/empty-snapshot.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import { RULES_VERSION } from "../domain/plan/plan.ts";
import { planChanges } from "../domain/plan/plan-changes.ts";
import { decodePlan, encodePlan } from "./plan-file.ts";

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
  sha256: (text) => text,
});

test("a plan comes back as it was written, one line with a newline at its end", () => {
  const text = encodePlan(plan);
  assert.match(text, /^[^\n]*\n$/);
  assert.deepEqual(decodePlan(text), { kind: "plan", plan });
});

const changed = (changes: object) => JSON.stringify({ ...plan, ...changes });

const REFUSED: readonly [string, string, RegExp][] = [
  ["an empty file", "", /not JSON/],
  ["a plan cut short", encodePlan(plan).slice(0, -10), /not JSON/],
  ["null", "null", /format is undefined/],
  ["a list", "[]", /format is undefined/],
  ["text", '"plan"', /format is undefined/],
  ["another format", changed({ format_version: "2.0" }), /format is 2.0, this fleet reads 1.0/],
  ["other placement rules", changed({ rules: RULES_VERSION + 1 }), /placement rules/],
  ...[...Object.keys(plan)]
    .filter((key) => key !== "format_version" && key !== "rules")
    .map((key): [string, string, RegExp] => [`a plan without ${key}`, changed({ [key]: undefined }), /missing/]),
  ["a base of other make", changed({ base: {} }), /missing/],
  ["changes that are none", changed({ changes: [null] }), /missing/],
];

for (const [what, text, problem] of REFUSED) {
  test(`${what} is refused, saying why`, () => {
    const read = decodePlan(text);
    assert.ok(read.kind === "refused");
    assert.match(read.problem, problem);
  });
}
