import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../../domain/names.ts";
import { PLAN_FORMAT, type Plan, RULES_VERSION } from "../../domain/plan/plan.ts";
import { decodePlan, PLAN_CHARACTERS_MAX } from "./decode-plan.ts";
import { encodePlan } from "./encode-plan.ts";

const machine = "1".repeat(32) as MachineId;
const unit = "web.service" as UnitName;
const hash = "a".repeat(64);
const side = { machine, hash: hash as UnitHash, goal: "launched" } as const;

const plan: Plan = {
  format_version: PLAN_FORMAT,
  rules: RULES_VERSION,
  cluster: "prod",
  clusterId: null,
  commit: "f".repeat(40) as CommitId,
  specHash: "e".repeat(64) as SpecHash,
  base: { releaseSeq: 0, releaseCommit: null, basis: hash },
  machines: [{ id: machine, name: "m1", present: true, metadata: { role: "web" } }],
  changes: [
    {
      action: "add",
      effect: "start",
      unit,
      from: null,
      to: side,
      reason: { code: "new-unit", placed: { code: "only-fit" } },
    },
  ],
  placements: [{ unit, ...side, reason: { code: "only-fit" } }],
  unplaced: [],
  waves: [{ changes: [{ unit, machine }], budgets: [] }],
  refusals: [],
  counts: {
    actions: { remove: 0, move: 0, change: 0, add: 1, adopt: 0 },
    effects: { stop: 0, move: 0, restart: 0, reload: 0, "daemon-reload": 0, start: 1, adopt: 0, quiet: 0 },
    files: 1,
    unchanged: 0,
    unplaced: 0,
  },
  unknown: [],
  partial: null,
  contentId: hash,
  planId: hash,
};

test("a plan comes back as it was written, one line with a newline at its end", () => {
  const text = encodePlan(plan);
  assert.match(text, /^[^\n]*\n$/);
  assert.deepEqual(decodePlan(text), { kind: "plan", plan });
});

const changed = (changes: object) => JSON.stringify({ ...plan, ...changes });

test("what a later minor version added is kept: the ids hash it too", () => {
  const newer = { ...plan, format_version: "1.7", risk: "low", base: { ...plan.base, seen: [1] } };
  assert.deepEqual(decodePlan(JSON.stringify(newer)), { kind: "plan", plan: newer });
});

test("a plan of other placement rules can be looked at", () => {
  assert.equal(decodePlan(changed({ rules: plan.rules + 1 })).kind, "plan");
});

const REFUSED: readonly [string, string, RegExp][] = [
  ["an empty file", "", /not JSON/],
  ["a plan cut short", encodePlan(plan).slice(0, -10), /not JSON/],
  ["null", "null", /no format_version/],
  ["a list", "[]", /no format_version/],
  ["text", '"plan"', /no format_version/],
  ["another major format", changed({ format_version: "2.0" }), /format is 2.0, this fleet reads 1.x/],
  ["a format that only begins alike", changed({ format_version: "10.0" }), /format is 10.0, this fleet reads 1.x/],
  ["the format before this one", changed({ format_version: "1" }), /^format_version: /],
  ...Object.keys(plan)
    .filter((key) => key !== "format_version")
    .map((key): [string, string, RegExp] => [
      `a plan without ${key}`,
      changed({ [key]: undefined }),
      new RegExp(`^${key}: `),
    ]),
  ["a base of other make", changed({ base: {} }), /^base.releaseSeq: /],
  ["changes that are none", changed({ changes: [null] }), /^changes.0: /],
  ["an id that is none", changed({ planId: "planId" }), /^planId: /],
  ["a count below zero", changed({ counts: { ...plan.counts, unchanged: -1 } }), /^counts.unchanged: /],
  ["a change of an unknown effect", changed({ changes: [{ action: "add", effect: "harm" }] }), /^changes.0.effect: /],
  ["a file of any size", " ".repeat(PLAN_CHARACTERS_MAX + 1), /more than 67108864 characters/],
];

for (const [what, text, problem] of REFUSED) {
  test(`${what} is refused, saying why`, () => {
    const read = decodePlan(text);
    assert.ok(read.kind === "refused");
    assert.match(read.problem, problem);
  });
}
