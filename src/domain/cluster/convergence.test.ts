import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { UnitDrift } from "../drift/unit-drift.ts";
import type { CommitId, UnitHash, UnitName } from "../names.ts";
import type { RolloutPhase } from "../rollout/rollout-record.ts";
import { startRollout } from "../rollout/start-rollout.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import type { ClusterSnapshot, Member, UnitStatus } from "./cluster-snapshot.ts";
import { judgeConvergence } from "./convergence.ts";
import { emptySnapshot } from "./empty-snapshot.ts";

const sha256 = (text: string) => text;
const OLD = "old" as UnitHash;
const problem = (code: string) => ({ code, detail: "", journal: [] });

interface Case {
  readonly says: string;
  readonly unit?: Partial<UnitSketch>;
  readonly drift?: "detect" | "off";
  readonly placed?: UnitHash | null;
  readonly member?: Partial<Member>;
  readonly status: Partial<UnitStatus> | null;
  readonly verdict: string;
}

function stopped(outcome: UnitDrift["outcome"]): UnitDrift {
  return { seen: [{ kind: "stopped" }], since: "", corrected: 0, outcome };
}
const oneshot = { text: "x\nType=oneshot" };

const CASES: readonly Case[] = [
  { says: "placed, seen and active", status: {}, verdict: "converged" },
  { says: "not in its machine's set yet", placed: null, status: null, verdict: "waiting not-placed" },
  { says: "in the set with an older text", placed: OLD, status: { hash: OLD }, verdict: "waiting not-placed" },
  { says: "its agent has said nothing yet", status: null, verdict: "waiting no-status" },
  {
    says: "its agent keeps an older set",
    member: { problem: problem("commit-unavailable") },
    status: null,
    verdict: "waiting machine-behind",
  },
  {
    says: "its agent says that it is as it should be, and that it cannot look any more",
    member: { problem: problem("cannot-look") },
    status: {},
    verdict: "waiting machine-blind",
  },
  {
    says: "its machine is away, and no other could have it",
    member: { present: false },
    status: {},
    verdict: "away machine-absent",
  },
  { says: "its own checks pass", status: { health: { state: "passing", detail: "" } }, verdict: "converged" },
  {
    says: "its own checks have not passed yet",
    status: { health: { state: "unknown", detail: "" } },
    verdict: "waiting unhealthy",
  },
  {
    says: "its own checks fail",
    status: { health: { state: "failing", detail: "x" } },
    verdict: "waiting unhealthy",
  },
  {
    says: "it is down, which says more than its checks",
    status: { active: "activating", health: { state: "unknown", detail: "" } },
    verdict: "waiting state",
  },
  {
    says: "it need not be started, and what its checks said is old",
    unit: { goal: "loaded" },
    status: { health: { state: "failing", detail: "x" } },
    verdict: "converged",
  },
  { says: "still runs the older text", status: { hash: OLD }, verdict: "waiting other-version" },
  { says: "is on its way up", status: { active: "activating" }, verdict: "waiting state" },
  { says: "failed", status: { active: "failed", problem: problem("failed") }, verdict: "failed problem" },
  {
    says: "the older text failed, which is no news",
    status: { hash: OLD, active: "failed", problem: problem("failed") },
    verdict: "waiting other-version",
  },
  {
    says: "somebody else's unit has the name",
    status: { hash: null, problem: problem("conflict") },
    verdict: "failed problem",
  },
  {
    says: "a service that ended is not where it should be",
    status: { active: "inactive", result: "success" },
    verdict: "waiting state",
  },
  {
    says: "a service that somebody stopped stays so by its policy: nobody waits for it",
    drift: "detect",
    status: { active: "inactive", drift: stopped("detected") },
    verdict: "failed changed-by-hand",
  },
  {
    says: "a service that was stopped too often to be started once more",
    status: { active: "inactive", drift: stopped("given-up") },
    verdict: "failed changed-by-hand",
  },
  {
    says: "a service that is about to be started again",
    status: { active: "inactive", drift: stopped("correcting") },
    verdict: "waiting state",
  },
  {
    says: "an edit that is left and runs on",
    drift: "detect",
    status: { drift: stopped("detected") },
    verdict: "converged",
  },
  { says: "what is stopped where nobody looks", drift: "off", status: { active: "inactive" }, verdict: "converged" },
  {
    says: "what was not started yet where nobody looks",
    drift: "off",
    status: { active: "inactive", started: false },
    verdict: "waiting state",
  },
  {
    says: "a oneshot that ended well is done",
    unit: oneshot,
    status: { active: "inactive", result: "success" },
    verdict: "converged",
  },
  {
    says: "a oneshot that never ran is not",
    unit: oneshot,
    status: { active: "inactive", result: "success", started: false },
    verdict: "waiting state",
  },
  {
    says: "a loaded unit need not be active",
    unit: { goal: "loaded" },
    status: { active: "inactive", load: "not-found" },
    verdict: "converged",
  },
  { says: "a loaded unit may be active", unit: { goal: "loaded" }, status: {}, verdict: "converged" },
  {
    says: "a unit that no machine could hold has failed",
    unit: { machineId: "m7" },
    placed: null,
    status: null,
    verdict: "failed unplaceable",
  },
  {
    says: "a unit the commit wants inactive still runs",
    unit: { goal: "inactive" },
    placed: null,
    status: {},
    verdict: "waiting leaving",
  },
  {
    says: "a unit that is to go was put back, because without it nobody reached the machine",
    unit: { goal: "inactive" },
    placed: null,
    status: { problem: problem("not-confirmed") },
    verdict: "failed problem",
  },
  {
    says: "another version than this was put back",
    member: { problem: problem("not-confirmed") },
    status: { hash: OLD, problem: { ...problem("not-confirmed"), of: "other" as UnitHash } },
    verdict: "waiting machine-behind",
  },
  {
    says: "a global unit that no machine matches is nowhere, as it should be",
    unit: { global: true, machineMetadata: [{ kind: "metadata", key: "k", values: ["v"] }] },
    placed: null,
    status: null,
    verdict: "converged",
  },
];

for (const { says, unit, drift, placed, member, status, verdict } of CASES) {
  test(says, () => {
    const drawn = specOf([sketch(unit ?? {})]);
    const wanted = { ...drawn.units[0]!, ...(drift && { drift }) };
    const spec = { ...drawn, units: [wanted] };
    const hash = unitOnMachine(wanted, null, spec, sha256).hash;
    const state = judgeConvergence(
      spec,
      snapshotOf(wanted.goal, placed === undefined ? hash : placed, member ?? {}, status && { hash, ...status }),
      sha256,
    );
    const said = [
      ...state.waiting.map(({ because }) => `waiting ${because.code}`),
      ...state.failed.map(({ because }) => `failed ${because.code}`),
      ...state.away.map(({ because }) => `away ${because.code}`),
    ];
    assert.deepEqual(said, verdict === "converged" ? [] : [verdict]);
    assert.equal(state.converged, verdict === "converged" || verdict.startsWith("away"));
    assert.equal(state.settled, !verdict.startsWith("waiting"));
  });
}

test("its machine is away, and another could have it: somebody moves it, so it is waited for", () => {
  const spec = specOf([sketch({})]);
  const hash = unitOnMachine(spec.units[0]!, null, spec, sha256).hash;
  const alone = snapshotOf("launched", hash, { present: false }, { hash });
  const other = { ...alone.members[0]!, id: machineId(1), name: "m1", present: true };
  const state = judgeConvergence(spec, { ...alone, members: [...alone.members, other] }, sha256);
  assert.deepEqual(
    state.waiting.map(({ because }) => because.code),
    ["machine-absent"],
  );
  assert.equal(state.settled, false);
});

test("what is up is not told to be converged before its rollout is over: a service is up before it fails", () => {
  const spec = specOf([sketch({})]);
  const { hash } = unitOnMachine(spec.units[0]!, null, spec, sha256);
  const id = { seq: 1, commit: "c".repeat(40) as CommitId, specHash: spec.specHash };
  const release = { ...id, contentId: "", planId: "", parent: null, by: "", at: "" };
  const up = { ...snapshotOf("launched", hash, {}, { hash }), release };
  const whileIt = (phase: RolloutPhase) => {
    const record = { ...startRollout(id, null, ""), phase };
    return judgeConvergence(
      spec,
      { ...up, rollouts: { records: [{ seq: 1, record, modRevision: 1 }], orders: [] } },
      sha256,
    );
  };
  assert.deepEqual([whileIt("rolling").converged, whileIt("rolling").settled], [false, false]);
  assert.deepEqual([whileIt("done").converged, whileIt("done").settled], [true, true]);
});

test("a unit that leaves a drained machine waits for the hand-off, and not for a wave", () => {
  const spec = specOf([sketch({})]);
  const hash = unitOnMachine(spec.units[0]!, null, spec, sha256).hash;
  const here = snapshotOf("inactive", hash, {}, { hash });
  const [m0, m1] = [here.members[0]!, { ...here.members[0]!, id: machineId(1), name: "m1" }];
  const stanza = { key: m0.name, match: null, id: null, metadata: {}, drain: true, cordon: false, dropins: [] };
  const drained = { ...spec, machines: [stanza] };
  const state = judgeConvergence(drained, { ...here, members: [m0, m1] }, sha256);
  assert.deepEqual(
    state.waiting.map(({ because }) => because),
    [{ code: "hand-off", from: m0.id, to: m1.id }, { code: "leaving" }],
  );
});

test("what waits for its wave is held where one of its set failed, and with it what starts after it", () => {
  const names = ["web@1.service", "web@2.service", "z.service", "other.service"];
  const sketches = names.map((name, group) => sketch({ name, group }));
  const drawn = specOf(sketches);
  const spec = {
    ...drawn,
    units: drawn.units.map((unit) =>
      unit.name === "z.service" ? { ...unit, after: ["web@2.service" as UnitName] } : unit,
    ),
  };
  const placed = spec.units.map((unit) => ({
    unit: unit.name,
    hash: unit.name === "web@1.service" ? unitOnMachine(unit, null, spec, sha256).hash : OLD,
    goal: "launched" as const,
  }));
  const alone = snapshotOf("launched", OLD, {}, {});
  const state = judgeConvergence(
    spec,
    {
      ...alone,
      assignments: placed.map((one) => ({ ...alone.assignments[0]!, ...one })),
      sets: [{ ...alone.sets[0]!, placements: placed }],
      statuses: placed.map(({ unit, hash }) => ({
        ...alone.statuses[0]!,
        unit,
        hash,
        ...(unit === "web@1.service" ? { active: "failed", problem: problem("failed") } : {}),
      })),
    },
    sha256,
  );
  assert.deepEqual(
    state.failed.map(({ unit, because }) => `${unit} ${because.code}`),
    ["web@1.service problem", "web@2.service held", "z.service held"],
  );
  assert.deepEqual(
    state.waiting.map(({ unit, because }) => `${unit} ${because.code}`),
    ["other.service not-placed"],
  );
});

function snapshotOf(
  goal: UnitSketch["goal"],
  hash: UnitHash | null,
  member: Partial<Member>,
  status: Partial<UnitStatus> | null,
): ClusterSnapshot {
  const machine = machineId(0);
  const unit = "u.service" as UnitName;
  const seen = {
    load: "loaded",
    active: "active",
    sub: "",
    since: "",
    result: "success",
    invocation: "i",
    started: true,
    problem: null,
  };
  const facts = { address: "", bootId: "", version: "", joined: "", acceptedSeq: 0, metadata: {} };
  return {
    ...emptySnapshot,
    members: [{ id: machine, name: "m0", ...facts, present: true, presenceRevision: 1, ...member }],
    assignments: hash === null ? [] : [{ unit, machine, hash, goal, reason: "", modRevision: 1 }],
    sets: [{ machine, header: null, headerModRevision: 1, placements: hash === null ? [] : [{ unit, hash, goal }] }],
    statuses: status === null ? [] : [{ unit, machine, hash: null, ...seen, ...status }],
  };
}

function sketch(unit: Partial<UnitSketch>): UnitSketch {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  return {
    name: "u.service",
    group: 0,
    global: false,
    goal: "launched",
    ...constraints,
    move: "auto",
    text: "x",
    ...unit,
  };
}
