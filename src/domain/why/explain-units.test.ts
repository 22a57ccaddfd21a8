import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import { readManifest } from "../../codec/manifest/read-manifest.ts";
import type { ClusterSnapshot, Member, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { Hold } from "../cluster/hold.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { CommitId, MachineId, UnitHash, UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import type { EngineReport } from "../report/engine-report.ts";
import type { RolloutStatus } from "../report/rollout-status.ts";
import type { RolloutPhase } from "../rollout/rollout-record.ts";
import type { ClusterSpec, UnitGoal } from "../spec/cluster-spec.ts";
import { indexUnits } from "../spec/index-units.ts";
import { UnitExplainer } from "./explain-units.ts";
import type { UnitExplanation, WhyLink } from "./unit-explanation.ts";

const M1 = "1".repeat(32) as MachineId;
const M2 = "2".repeat(32) as MachineId;
const WEB = "web.service" as UnitName;
const NOON = "2026-11-21T12:00:00.000Z";
const OTHER = "f".repeat(64) as UnitHash;

const REPOSITORY = {
  "fleet.yaml":
    "apiVersion: fleet/v1\ncluster: prod\nunits:\n  api@.service:\n    instances: [blue, green]\n  off.service:\n    state: inactive\n",
  "units/web.service": "[Unit]\nAfter=db.service\n[Service]\nExecStart=/bin/true\n",
  "units/web.service.d/10-more.conf": "[Service]\n\nRestart=always\n",
  "units/api@.service": "[Service]\nExecStart=/bin/true\n[X-Fleet]\nConflicts=api@*.service\n",
  "units/db.service": "[Service]\nExecStart=/bin/true\nStateDirectory=db\n",
  "units/job.service": "[Service]\nType=oneshot\nExecStart=/bin/true\n",
  "units/job.timer": "[Timer]\nOnCalendar=daily\n",
  "units/off.service": "[Service]\nExecStart=/bin/true\n",
  "units/gpu.service": "[Service]\nExecStart=/bin/true\n[X-Fleet]\nMachineMetadata=gpu=yes\n",
  "units/all.service": "[Service]\nExecStart=/bin/true\n[X-Fleet]\nGlobal=true\nMachineMetadata=arch=z80\n",
};

const SPEC = compileRepository(REPOSITORY).spec!;

interface World {
  readonly members?: Readonly<Record<string, Partial<Member>>>;
  /** What the registry has of the unit instead; null: nothing. */
  readonly placed?: { readonly hash?: UnitHash; readonly goal?: UnitGoal } | null;
  /** What its machine's agent says of it; null: nothing. By default it is up. */
  readonly status?: Partial<UnitStatus> | null;
  readonly report?: Partial<EngineReport> | null;
  readonly leader?: null;
  readonly phase?: RolloutPhase;
  readonly hold?: true;
  /** The repository does not have the release's commit. */
  readonly unread?: true;
  readonly head?: ClusterSpec;
  readonly gone?: true;
}

function explained(name: UnitName, world: World = {}): UnitExplanation[] {
  const member = (id: MachineId, machine: string): Member => ({
    id,
    name: machine,
    address: "",
    metadata: {},
    bootId: "",
    version: "",
    joined: "",
    acceptedSeq: 3,
    present: true,
    presenceRevision: 7,
    ...world.members?.[machine],
  });
  const members = [member(M1, "m1"), member(M2, "m2")];
  const base = { ...emptySnapshot, members };
  const machines = machinesOf(SPEC, { ...base, members: members.map((one) => ({ ...one, present: true })) }, new Set());
  const { placements } = placeUnits({ spec: SPEC, machines, current: new Map(), preferred: new Map(), sha256 });
  const given = placements.flatMap((one) =>
    one.unit !== name ? [one] : world.placed === null ? [] : [{ ...one, ...world.placed }],
  );
  const all = world.gone ? [...given, { ...given[0]!, unit: name, machine: M1 }] : given;
  const sets = [M1, M2].map((machine) => {
    const held = all
      .filter((one) => one.machine === machine)
      .map(({ unit, hash, goal }) => ({ unit, hash, goal }))
      .sort((a, b) => (a.unit < b.unit ? -1 : 1));
    const header = { epoch: 1, generation: 4, count: held.length, digest: digestOfSet(held, sha256) };
    return { machine, header, headerModRevision: 1, headerAt: NOON, placements: held };
  });
  const at = all.find(({ unit }) => unit === name);
  const status: UnitStatus | null =
    world.status === null || at === undefined
      ? null
      : {
          unit: name,
          machine: at.machine,
          load: "loaded",
          active: "active",
          sub: "running",
          hash: at.hash,
          since: NOON,
          result: "success",
          invocation: "",
          started: true,
          problem: null,
          ...world.status,
        };
  const snapshot: ClusterSnapshot = {
    ...base,
    identity: { id: "c", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
    release: {
      seq: 3,
      commit: "c".repeat(40) as CommitId,
      specHash: SPEC.specHash,
      contentId: "",
      planId: "",
      parent: null,
      by: "ada",
      at: NOON,
    },
    assignments: all.map((one) => ({ ...one, reason: one.reason.code, modRevision: 1, at: NOON })),
    sets,
    statuses: status === null ? [] : [status],
  };
  const scope = { kind: "unit", unit: name } as const;
  const holds: Hold[] = world.hold ? [{ scope, by: "ada", reason: "a look", at: NOON, forMs: 3_600_000 }] : [];
  const report = { leader: "m1", releaseSeq: 3, problem: null, unplaced: [], ...world.report };
  const { manifest } = readManifest("fleet.yaml", REPOSITORY["fleet.yaml"]);
  return new UnitExplainer({
    snapshot,
    leader: world.leader === null ? null : { machine: M1, term: 2 },
    report: world.report === null ? null : report,
    holds,
    index: indexUnits(SPEC, sha256),
    commit: world.unread ? null : { spec: SPEC, manifest, subject: "first", author: "ada" },
    head: world.head === undefined ? null : { commit: "d".repeat(40) as CommitId, spec: world.head },
    planned: new Map(),
    rollout: world.phase === undefined ? null : rolloutIn(world.phase),
    sha256,
  }).explain(name);
}

function rolloutIn(phase: RolloutPhase): RolloutStatus {
  const progress = { openRings: 1, failures: [], base: null, waits: [], led: true };
  return { seq: 3, commit: "c".repeat(40) as CommitId, phase, since: NOON, ...progress };
}

const problem = (code: string) => ({ code, detail: "told so", journal: ["a line"] });
const waits = (code: "wave" | "hand-off") =>
  code === "wave"
    ? { waits: [{ code, units: [WEB], more: 0, for: [], since: NOON }] }
    : { waits: [{ code, units: [WEB], more: 0, from: M1, to: M2, since: NOON }] };

const unit = (name: string) => name as UnitName;
const VERDICTS: readonly [sentence: string, unit: UnitName, world: World, expected: string][] = [
  ["a service that is up runs", WEB, {}, "as-wanted runs"],
  [
    "a oneshot that ended well is there for its timer",
    unit("job.service"),
    { status: { active: "inactive", sub: "dead" } },
    "as-wanted ready",
  ],
  ["what the commit wants nowhere is as wanted", unit("off.service"), {}, "as-wanted inactive"],
  ["a global unit no machine matches is where it should be", unit("all.service"), {}, "as-wanted matches-none"],
  ["a unit that fits nowhere is stuck", unit("gpu.service"), {}, "stuck unplaceable, at unplaced"],
  [
    "a failed start is systemd's",
    WEB,
    { status: { active: "failed", sub: "failed", problem: problem("failed") } },
    "stuck problem, at systemd",
  ],
  [
    "a unit that is restarted without end is systemd's",
    WEB,
    { status: { active: "activating", sub: "auto-restart", problem: problem("restarting") } },
    "stuck problem, at systemd",
  ],
  [
    "a name that belongs to somebody else is the agent's",
    WEB,
    { status: { hash: null, problem: problem("conflict") } },
    "stuck problem, at agent",
  ],
  [
    "what somebody stopped too often is left to people",
    WEB,
    {
      status: {
        active: "inactive",
        sub: "dead",
        drift: { seen: [{ kind: "stopped" }], since: NOON, corrected: 5, outcome: "given-up" },
      },
    },
    "stuck changed-by-hand, at agent",
  ],
  [
    "a failure comes before a hold",
    WEB,
    { hold: true, status: { active: "failed", problem: problem("failed") } },
    "stuck problem, at systemd",
  ],
  [
    "a unit on its way up is held by a person",
    WEB,
    { hold: true, status: { active: "activating" } },
    "waits held, at agent",
  ],
  ["a unit that is up is not held back by a hold", WEB, { hold: true }, "as-wanted runs"],
  [
    "a unit on its way up waits for systemd",
    WEB,
    { status: { active: "activating", sub: "start" } },
    "waits state, at systemd",
  ],
  ["a unit nobody has spoken of", WEB, { status: null }, "waits no-status, at agent"],
  ["a unit in another version", WEB, { status: { hash: OTHER } }, "waits other-version, at agent"],
  [
    "a machine that is absent",
    WEB,
    { members: { m1: { present: false }, m2: { present: false } } },
    "waits machine-absent, at agent",
  ],
  [
    "an agent that cannot take its set",
    WEB,
    {
      status: null,
      members: { m1: { problem: problem("commit-unavailable") }, m2: { problem: problem("commit-unavailable") } },
    },
    "waits machine-behind, at agent",
  ],
  [
    "a version that the engine has not written waits for the engine",
    WEB,
    { placed: { hash: OTHER } },
    "waits engine, at engine",
  ],
  ["or for its wave", WEB, { placed: { hash: OTHER }, report: waits("wave") }, "waits wave, at engine"],
  ["or for somebody to lead", WEB, { placed: { hash: OTHER }, leader: null }, "waits no-leader, at engine"],
  [
    "or for the engine to read the commit",
    WEB,
    { placed: { hash: OTHER }, report: { problem: "no" } },
    "waits engine-problem, at engine",
  ],
  [
    "or for the engine to take the release up",
    WEB,
    { placed: { hash: OTHER }, report: { releaseSeq: 2 } },
    "waits engine-behind, at engine",
  ],
  ["what is placed nowhere yet", WEB, { placed: null }, "waits engine, at engine"],
  [
    "what a release added that was rolled back comes nowhere",
    WEB,
    { placed: null, phase: "rolled-back" },
    "stuck stopped, at engine",
  ],
  [
    "a unit that goes to another machine is handed over, up or down",
    WEB,
    { placed: { goal: "inactive" }, report: waits("hand-off") },
    "waits hand-off, at engine",
  ],
  [
    "a machine that does not let it go is somebody's work",
    WEB,
    {
      placed: { goal: "inactive" },
      report: { ...waits("hand-off"), stuckHandOffs: [{ unit: WEB, machine: M1, since: NOON }] },
    },
    "stuck handoff-stuck, at engine",
  ],
  [
    "a unit of a machine that the engine has given up is the engine's to place anew",
    WEB,
    {
      members: { m1: { present: false } },
      report: {
        loss: {
          mode: "normal",
          outage: null,
          hold: null,
          machines: [{ machine: M1, presence: "lost", waits: null, flapping: null }],
          budget: null,
        },
      },
    },
    "waits engine, at engine",
  ],
  [
    "what the commit has no more and a machine has still",
    unit("old.service"),
    { gone: true },
    "waits leaving, at engine",
  ],
  ["without the commit, the registry's word is enough for a unit that runs", WEB, { unread: true }, "as-wanted runs"],
  [
    "and for one that failed",
    WEB,
    { unread: true, status: { active: "failed", problem: problem("failed") } },
    "stuck problem, at systemd",
  ],
  [
    "and, by the engine's report, for one that fits nowhere",
    unit("gpu.service"),
    {
      unread: true,
      report: {
        unplaced: [
          { group: "gpu.service" as never, units: [unit("gpu.service")], kind: "waiting", because: [], nearest: null },
        ],
      },
    },
    "waits no-machine, at unplaced",
  ],
];

for (const [sentence, name, world, expected] of VERDICTS) {
  test(`why: ${sentence}`, () => {
    const [explanation, ...more] = explained(name, world);
    assert.equal(more.length, 0);
    const { state, because, link } = explanation!.verdict;
    assert.equal(`${state} ${because.code}${link === null ? "" : `, at ${link}`}`, expected);
    if (link !== null)
      assert.ok(
        explanation!.links.some((one) => one.link === link),
        `the chain has a link ${link}`,
      );
  });
}

function linkOf<Kind extends WhyLink["link"]>(chain: UnitExplanation | undefined, kind: Kind) {
  const found = chain?.links.find((one): one is Extract<WhyLink, { link: Kind }> => one.link === kind);
  assert.ok(found !== undefined, `there is a link ${kind}`);
  return found;
}

test("a unit neither the release nor a machine has is not explained", () => {
  assert.deepEqual(explained(unit("nothing.service")), []);
});

test("the chain names the lines of the fragment and of each drop-in", () => {
  const { files } = linkOf(explained(WEB)[0], "files");
  assert.deepEqual(
    files.map(({ role, path, line }) => `${role} ${path}:${line}`),
    ["fragment units/web.service:4", "dropin units/web.service.d/10-more.conf:3"],
  );
});

test("a goal is said by the manifest, by what starts the unit, or by nobody", () => {
  const because = (name: string) => linkOf(explained(unit(name))[0], "goal").because;
  assert.deepEqual(because("web.service"), { code: "default" });
  assert.deepEqual(because("job.service"), { code: "activated", by: [{ unit: "job.timer", by: "Unit=" }] });
  const off = because("off.service");
  assert.equal(off.code === "manifest" ? off.at.line : null, 7);
});

test("instances point to the line of the manifest that makes them", () => {
  assert.equal(linkOf(explained(unit("api@blue.service"))[0], "goal").instances?.line, 5);
});

test("a placement says what was asked for, who was rejected, and who would have done as well", () => {
  const blue = linkOf(explained(unit("api@blue.service"))[0], "placement");
  assert.deepEqual(
    blue.asks.map(({ text, path, line }) => `${text} ${path}:${line}`),
    ["Conflicts=api@*.service units/api@.service:4"],
  );
  assert.deepEqual(
    blue.rejected.map(({ reason, examples }) => [reason.code, examples]),
    [["conflict", [blue.machineName === "m1" ? "m2" : "m1"]]],
  );
  assert.deepEqual(blue.fitting, { count: 0, examples: [] });
  assert.equal(linkOf(explained(WEB)[0], "placement").fitting.count, 1);
  assert.deepEqual([blue.placedFor, blue.since], ["least-loaded", NOON]);
});

test("of a commit that is not here, links that need its files are missing, and the rest is there", () => {
  const [chain] = explained(WEB, { unread: true });
  assert.deepEqual(
    chain?.links.map(({ link }) => link),
    ["commit", "goal", "placement", "engine", "set", "agent", "systemd"],
  );
  assert.equal(linkOf(chain, "commit").subject, null);
});

test("the commit somebody stands on is compared with the release's", () => {
  const changed = compileRepository({ ...REPOSITORY, "units/web.service": "[Service]\nExecStart=/bin/false\n" }).spec!;
  const { "units/web.service": _gone, "units/web.service.d/10-more.conf": _too, ...others } = REPOSITORY;
  const without = compileRepository(others).spec!;
  const said = (head: ClusterSpec) => linkOf(explained(WEB, { head })[0], "commit").head?.unit;
  assert.deepEqual([said(SPEC), said(changed), said(without)], ["same", "changed", "gone"]);
});

test("a set that its agent may not act on is told", () => {
  assert.equal(linkOf(explained(WEB)[0], "set").state, "whole");
});

test("what was said before a machine fell silent is old, and an engine says since when", () => {
  const [chain] = explained(WEB, {
    members: { m1: { present: false }, m2: { present: false } },
    report: { absent: [M1, M2].map((machine) => ({ machine, since: NOON })) },
  });
  assert.equal(linkOf(chain, "systemd").isOld, true);
  assert.equal(linkOf(chain, "agent").since, NOON);
});
