import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId, UnitName } from "../names.ts";
import { type HeldReason, judgeSync, type PlanFacts, type SyncFacts, type SyncVerdict } from "./judge-sync.ts";

const [OLD, NEW] = ["a", "b"].map((digit) => digit.repeat(40) as CommitId) as [CommitId, CommitId];
const PLANNED: Extract<PlanFacts, { code: "planned" }> = {
  code: "planned",
  cluster: "prod",
  contentId: "content",
  isSame: false,
  restarts: 2,
  stops: 1,
  mass: null,
  unplaceable: [],
};
const KNOWN: SyncFacts = {
  policy: { by: "sync", intervalMs: 60_000 },
  cluster: "prod",
  inForce: OLD,
  tip: NEW,
  history: "ahead",
  trust: "accepted",
  plan: PLANNED,
  approval: null,
};

const planned = (facts: Partial<typeof PLANNED>): Partial<SyncFacts> => ({ plan: { ...PLANNED, ...facts } });
const mass = { code: "stops-many", stopped: 30, of: 100 } as const;
const all = { code: "empties", stopped: 7, of: 7 } as const;
const invalid = {
  code: "invalid",
  problem: "manifest-missing",
  detail: "no fleet.yaml in the commit",
  more: 0,
} as const;
const forged = { code: "untrusted", detail: "commit b is not signed" } as const;
const approvalOf = (by: "sync" | "approval") => ({ by, intervalMs: 60_000 });
const contentId = "content";

interface Case {
  readonly says: string;
  readonly facts: Partial<SyncFacts>;
  readonly is: Exclude<SyncVerdict["kind"], "held"> | HeldReason;
}

const CASES: readonly Case[] = [
  { says: "the branch is where the release is", facts: { tip: OLD, history: null }, is: "nothing-new" },
  { says: "a commit on top of it is released", facts: {}, is: "release" },
  { says: "a branch that was set back is not followed", facts: { history: "behind" }, is: { code: "behind" } },
  { says: "nor one that was rewritten", facts: { history: "diverged" }, is: { code: "not-a-descendant" } },
  { says: "nor one nobody can tell of", facts: { history: "unknown" }, is: { code: "history-unknown", detail: "" } },
  { says: "what is not trusted is not even compiled", facts: { trust: forged, plan: null }, is: forged },
  { says: "a tree without a manifest is held, not emptiness", facts: { plan: invalid }, is: invalid },
  {
    says: "a manifest of another cluster does not take this one",
    facts: planned({ cluster: "other" }),
    is: { code: "other-cluster", name: "other" },
  },
  {
    says: "what fits on no machine is said by name",
    facts: planned({ unplaceable: ["a.service" as UnitName] }),
    is: { code: "unplaceable", units: ["a.service" as UnitName], more: 0 },
  },
  {
    says: "the same texts are history, whoever must approve",
    facts: { ...planned({ isSame: true }), policy: approvalOf("approval") },
    is: "release",
  },
  { says: "a mass of stops is asked for once more", facts: planned({ mass }), is: "asks" },
  {
    says: "and held until somebody approves",
    facts: { ...planned({ mass }), approval: { kind: "none" } },
    is: { code: "deletes", stopped: 30, of: 100, contentId },
  },
  {
    says: "a commit without units is held",
    facts: { ...planned({ mass: all }), approval: { kind: "none" } },
    is: { code: "empties", of: 7, contentId },
  },
  {
    says: "an approved one goes through",
    facts: { ...planned({ mass: all }), approval: { kind: "approved" } },
    is: "release",
  },
  {
    says: "somebody's word that does not count is said",
    facts: { ...planned({ mass }), approval: { kind: "refused", detail: "not signed" } },
    is: { code: "approval-refused", detail: "not signed", contentId },
  },
  {
    says: "as many restarts as are allowed",
    facts: { policy: { ...approvalOf("sync"), maxRestarts: 2, maxStops: 1 } },
    is: "release",
  },
  {
    says: "one restart more is held",
    facts: { policy: { ...approvalOf("sync"), maxRestarts: 1 }, approval: { kind: "none" } },
    is: { code: "restarts", count: 2, max: 1, contentId },
  },
  {
    says: "stops come first, and none may be allowed",
    facts: { policy: { ...approvalOf("sync"), maxRestarts: 1, maxStops: 0 }, approval: { kind: "none" } },
    is: { code: "stops", count: 1, max: 0, contentId },
  },
  {
    says: "by approval every change waits",
    facts: { policy: approvalOf("approval"), approval: { kind: "none" } },
    is: { code: "approval", contentId },
  },
  {
    says: "and goes once it is approved",
    facts: { policy: approvalOf("approval"), approval: { kind: "approved" } },
    is: "release",
  },
];

for (const { says, facts, is } of CASES) {
  test(says, () => {
    const verdict = judgeSync({ ...KNOWN, ...facts });
    if (typeof is === "string") assert.equal(verdict.kind, is);
    else assert.deepEqual(verdict, { kind: "held", reason: is });
  });
}

test("it asks for one thing after another, the cheapest first, and for nothing it does not need", () => {
  const unknown: SyncFacts = { ...KNOWN, history: null, trust: null, plan: null };
  assert.deepEqual(judgeSync(unknown), { kind: "asks", what: "history" });
  assert.deepEqual(judgeSync({ ...unknown, history: "ahead" }), { kind: "asks", what: "trust" });
  assert.deepEqual(judgeSync({ ...KNOWN, plan: null }), { kind: "asks", what: "plan" });
  assert.deepEqual(judgeSync({ ...KNOWN, ...planned({ mass }) }), { kind: "asks", what: "approval" });
});
