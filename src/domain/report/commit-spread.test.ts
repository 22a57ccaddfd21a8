import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterSnapshot, Member, UnitStatus } from "../cluster/cluster-snapshot.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import { type CommitSpread, commitSpread } from "./commit-spread.ts";

type Site = Partial<Omit<Member, "problem">> & { readonly problem?: string; readonly runs?: string };

const IN_FORCE = 12;

/** Sites by name, all given version `new` of one unit; present, on release 12 and in that version where nothing is said. */
function spreadOf(sites: Readonly<Record<string, Site>>, newsMs: Readonly<Record<string, number>> = {}): CommitSpread {
  const names = Object.keys(sites);
  const members = names.map((name) => {
    const { problem, runs: _, ...rest } = sites[name]!;
    const own = problem === undefined ? {} : { problem: { code: problem, detail: "", journal: [] } };
    return { id: name as MachineId, name, present: true, acceptedSeq: IN_FORCE, ...rest, ...own } as Member;
  });
  const unit = "a.service" as UnitName;
  const placements = [{ unit, hash: "new" as UnitHash, goal: "launched" as const }];
  const statuses = names.map((name) => ({ machine: name, unit, hash: sites[name]!.runs ?? "new" }) as UnitStatus);
  const snapshot = {
    release: { seq: IN_FORCE } as ClusterSnapshot["release"],
    members,
    sets: members.map(({ id }) => ({ machine: id, header: null, headerModRevision: 0, placements })),
    statuses,
  };
  return commitSpread(snapshot, ({ name }) => newsMs[name] ?? null);
}

const CASES: readonly [string, CommitSpread, Partial<CommitSpread>][] = [
  ["nobody is there", spreadOf({}), { of: 0, on: 0, behind: 0, oldestNewsMs: 0 }],
  ["all have it", spreadOf({ a: {}, b: {} }), { of: 2, on: 2, behind: 0, oldestNewsMs: 0, rolledBack: [] }],
  [
    "one that is away is behind, whatever it said last, and so old is the news",
    spreadOf({ a: {}, b: { present: false }, c: { acceptedSeq: 11 } }, { b: 9_000, c: 100 }),
    { on: 1, behind: 2, oldestNewsMs: 9_000 },
  ],
  ["nobody knows how old the news of one is", spreadOf({ a: { present: false } }), { behind: 1, oldestNewsMs: null }],
  [
    "one that runs a unit in another version is behind",
    spreadOf({ a: { runs: "old" } }, { a: 5 }),
    { on: 0, behind: 1 },
  ],
  ["one that cannot take it is behind", spreadOf({ a: { problem: "untrusted" } }, { a: 5 }), { on: 0, behind: 1 }],
  [
    "one that was cut off is named and nothing else, away or not",
    spreadOf({ b: { problem: "not-confirmed", present: false }, a: { problem: "not-confirmed" }, c: {} }),
    { of: 3, on: 1, behind: 0, oldestNewsMs: 0, rolledBack: ["a", "b"] },
  ],
];

for (const [says, got, wanted] of CASES) test(says, () => assert.deepEqual({ ...got, ...wanted }, got));
