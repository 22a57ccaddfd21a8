import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { machineId, specOf } from "../../../test/property/generators/cluster.ts";
import type {
  Assignment,
  ClusterIdentity,
  ClusterSnapshot,
  KeptSet,
  MachineSet,
  Member,
  PlacedUnit,
  Release,
} from "../cluster/cluster-snapshot.ts";
import { digestOfSet } from "../cluster/digest-of-set.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../names.ts";
import { planSetWrites } from "../placement/plan-set-writes.ts";
import { judgeAdoption } from "./judge-adoption.ts";

const sha256 = (text: string) => text;
const [m1, m2, m3] = [machineId(1), machineId(2), machineId(3)];
const identity: ClusterIdentity = { id: "c", name: "c", source: "", branch: "main", manifest: "fleet.yaml", epoch: 2 };
const release: Release = {
  ...{
    seq: 5,
    commit: "c5" as CommitId,
    specHash: "h" as SpecHash,
    contentId: "",
    planId: "",
    parent: null,
    by: "",
    at: "",
  },
};
const spec = specOf(
  ["a.service", "b.service", "everywhere.service"].map((name, group) => ({
    ...{ name, group, global: name === "everywhere.service", goal: "launched", machineId: null, machineMetadata: [] },
    ...{ conflicts: [], replaces: [], move: "auto", text: "" },
  })),
);
const EARLY = { sinceMs: 0, nowMs: 10, holdMs: 1_000 };
const LATE = { ...EARLY, nowMs: 1_000 };

const placed = (...units: string[]): PlacedUnit[] =>
  units.map((unit) => ({ unit: `${unit}.service` as UnitName, hash: "h1" as UnitHash, goal: "launched" }));
const kept = (machine: MachineId, ...units: string[]): KeptSet => {
  return {
    machine,
    identity: { ...identity, epoch: 1 },
    release,
    epoch: 1,
    generation: 9,
    placements: placed(...units),
  };
};
const member = (id: MachineId, change: Partial<Member> = {}): Member => ({
  ...{ id, name: id, address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 5, setEpoch: 1 },
  ...{ present: true, presenceRevision: 1, ...change },
});
const shownSet = (machine: MachineId, epoch: number, ...units: string[]): MachineSet => {
  const placements = placed(...units);
  const header = { epoch, generation: 3, count: placements.length, digest: digestOfSet(placements, sha256) };
  return { machine, header, headerModRevision: 7, placements };
};
const assignment = (unit: string, machine: MachineId): Assignment => ({
  ...{
    unit: `${unit}.service` as UnitName,
    machine,
    hash: "h1" as UnitHash,
    goal: "launched",
    reason: "",
    modRevision: 4,
  },
});

const wiped: ClusterSnapshot = {
  ...emptySnapshot,
  ...{ revision: 50, identity, release, members: [member(m1), member(m2)] },
  kept: [kept(m1, "a", "everywhere"), kept(m2, "b", "everywhere")],
};

function judged(snapshot: ClusterSnapshot, time = EARLY): string {
  const verdict = judgeAdoption(snapshot, spec, time, sha256);
  if (verdict.kind === "take")
    return verdict.placements
      .map(({ unit, machine }) => `${unit.replace(".service", "")}@m${Number(machine)}`)
      .join(" ");
  if (verdict.kind === "ahead") return verdict.because.code;
  if (verdict.kind === "wait")
    return ["wait", ...verdict.machines.map((machine) => `m${Number(machine)}`), ...verdict.missing].join(" ");
  return "none";
}

describe("taking a cluster over from its machines", () => {
  const cases: [string, ClusterSnapshot, typeof EARLY, string][] = [
    ["all have told, and every unit is somewhere: as they say", wiped, EARLY, "a@m1 b@m2 everywhere@m1 everywhere@m2"],
    [
      "one present machine has not told: wait for it",
      { ...wiped, kept: [wiped.kept![0]!] },
      EARLY,
      `wait m2 b.service`,
    ],
    [
      "a unit nobody told of may run on a machine that is away: wait",
      { ...wiped, members: [member(m1)], kept: [kept(m1, "a")] },
      EARLY,
      "wait b.service",
    ],
    ["silence longer than the hold is an answer", { ...wiped, kept: [wiped.kept![0]!] }, LATE, "a@m1 everywhere@m1"],
    ["nobody told in all that time: there is nothing to take", { ...wiped, kept: [] }, LATE, "none"],
    ["sets of this epoch are written", { ...wiped, sets: [shownSet(m1, 2, "a"), shownSet(m2, 2, "b")] }, EARLY, "none"],
    [
      "a set of this epoch that is half written is not",
      { ...wiped, sets: [shownSet(m1, 2, "a"), { ...shownSet(m2, 2, "b"), placements: [] }] },
      EARLY,
      "a@m1 b@m2 everywhere@m2",
    ],
    [
      "new machines have nothing to tell",
      { ...wiped, members: [...wiped.members, (({ setEpoch: _, ...rest }) => rest)(member(m3))] },
      EARLY,
      "a@m1 b@m2 everywhere@m1 everywhere@m2",
    ],
    [
      "what machines of another cluster keep is not taken",
      { ...wiped, kept: [{ ...kept(m1, "a"), identity: { ...identity, id: "x" } }] },
      LATE,
      "none",
    ],
    [
      "what a machine says counts more than what an older registry says of it",
      { ...wiped, assignments: [assignment("b", m1)], sets: [shownSet(m1, 1, "a", "b"), shownSet(m2, 1)] },
      EARLY,
      "a@m1 b@m2 everywhere@m1 everywhere@m2",
    ],
    [
      "what was given to another in this epoch counts more than what a late machine still has",
      {
        ...wiped,
        members: [member(m1, { setEpoch: 2 }), member(m2)],
        assignments: [assignment("a", m1), assignment("b", m1)],
        sets: [shownSet(m1, 2, "a", "b")],
        kept: [kept(m2, "b", "everywhere")],
      },
      EARLY,
      "a@m1 b@m1 everywhere@m2",
    ],
    [
      "of two that have it, the one whose set was written last, whatever an old registry says",
      {
        ...wiped,
        assignments: [assignment("a", m1)],
        sets: [shownSet(m1, 1, "a")],
        kept: [kept(m1, "a", "b"), { ...kept(m2, "a"), generation: 10 }],
      },
      EARLY,
      "a@m2 b@m1",
    ],
    [
      "of two whose sets were written at once, the one the registry names",
      { ...wiped, assignments: [assignment("a", m2)], kept: [kept(m1, "a", "b"), kept(m2, "a")] },
      EARLY,
      "a@m2 b@m1",
    ],
    [
      "a machine that went on after the backup was made knows of what this registry does not",
      { ...wiped, release: { ...release, seq: 4 } },
      LATE,
      "member-ahead",
    ],
    [
      "a machine that is away and has told is heard as well",
      { ...wiped, members: [member(m1), member(m2, { present: false, presenceRevision: 0 })] },
      EARLY,
      "a@m1 b@m2 everywhere@m1 everywhere@m2",
    ],
  ];
  for (const [sentence, snapshot, time, answer] of cases)
    test(sentence, () => assert.equal(judged(snapshot, time), answer));

  test("what is written then is what each machine has, under headers of the new epoch", () => {
    const verdict = judgeAdoption(wiped, spec, EARLY, sha256);
    assert.equal(verdict.kind, "take");
    const globals = new Set(["everywhere.service" as UnitName]);
    const writes = planSetWrites(verdict.kind === "take" ? verdict.placements : [], globals, wiped, sha256);
    const headers = new Map(writes.flatMap(({ machines }) => machines.map(({ machine, header }) => [machine, header])));
    for (const { machine, placements } of wiped.kept!) {
      const { epoch, count, digest } = headers.get(machine)!;
      assert.deepEqual({ epoch, count, digest }, { epoch: 2, count: 2, digest: digestOfSet(placements, sha256) });
    }
  });

  test("a machine that has not told gets no header, whatever else is placed", () => {
    const snapshot = { ...wiped, kept: [wiped.kept![0]!], sets: [shownSet(m2, 1, "b")] };
    const wanted = judgeAdoption(snapshot, spec, LATE, sha256);
    const writes = planSetWrites(wanted.kind === "take" ? wanted.placements : [], new Set(), snapshot, sha256);
    const written = writes.flatMap(({ machines }) => machines.filter(({ header }) => header !== null));
    assert.deepEqual([...new Set(written.map(({ machine }) => machine))], [m1]);
  });
});
