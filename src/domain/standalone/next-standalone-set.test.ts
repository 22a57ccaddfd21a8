import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { ClusterSnapshot, Member, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import { machinesOf } from "../cluster/machines-of.ts";
import type { CommitId, MachineId, SpecHash } from "../names.ts";
import { nextStandaloneSet } from "./next-standalone-set.ts";
import { standaloneSet } from "./standalone-set.ts";

const ID = "1".repeat(32) as MachineId;
const MEMBER: Member = {
  ...{ id: ID, name: "m1", address: "", metadata: {}, bootId: "b", version: "1", joined: "" },
  ...{ acceptedSeq: 2, present: true, presenceRevision: 1 },
};

const specOf = (version: string) =>
  compileRepository({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: edge\nunits: { web@.service: { instances: 2 } }\n",
    "units/web@.service": `[Service]\nExecStart=/bin/server ${version}\n[X-Fleet]\nMachineID=m1\n`,
  }).spec!;

/** What is given next of the second commit, where `done` of its units are changed and systemd says `active` of those. */
function next(done: number, active: string, acceptedSeq = 2) {
  const [released, spec] = [specOf("1"), specOf("2")];
  const machine = machinesOf(spec, { ...emptySnapshot, members: [MEMBER] }, new Set())[0]!;
  const [old, wanted] = [released, spec].map((one) => standaloneSet(one, machine, [], sha256).placements);
  const placements = wanted!.map((placement, at) => (at < done ? placement : old![at]!));
  const statuses = placements.map(
    ({ unit, hash }, at): UnitStatus => ({
      ...{ unit, machine: ID, load: "loaded", active: at < done ? active : "active", sub: "running", hash },
      ...{ since: "", result: "", invocation: `i${at}`, started: true, problem: null },
    }),
  );
  const release = { seq: 2, commit: "c" as CommitId, specHash: "s" as SpecHash, contentId: "c", planId: "p" };
  const snapshot: ClusterSnapshot = {
    ...emptySnapshot,
    release: { ...release, parent: null, by: "", at: "" },
    members: [{ ...MEMBER, acceptedSeq }],
    sets: [{ machine: ID, header: null, headerModRevision: 0, placements }],
    statuses,
  };
  const base = new Map(old!.map(({ unit, hash }) => [unit, hash]));
  const change = { spec, released, machine, wanted: wanted!, base, settling: [] };
  const step = nextStandaloneSet(change, snapshot, 0, sha256);
  const changed = step.placements.filter(({ unit, hash }) => base.get(unit) !== hash).map(({ unit }) => unit);
  return { changed: changed.join(), held: step.held.join(), failed: step.failed.join() };
}

const [ONE, TWO] = ["web@1.service", "web@2.service"];
const CASES: readonly [string, ReturnType<typeof next>, ReturnType<typeof next>][] = [
  ["one of two begins", next(0, "active"), { changed: ONE, held: TWO, failed: "" }],
  [
    "none begins before the agent has taken the commit",
    next(0, "active", 1),
    { changed: "", held: `${ONE},${TWO}`, failed: "" },
  ],
  ["the other follows once the first is up", next(1, "active"), { changed: `${ONE},${TWO}`, held: "", failed: "" }],
  ["it waits while the first comes up", next(1, "activating"), { changed: ONE, held: TWO, failed: "" }],
  ["it stays where the first has failed", next(1, "failed"), { changed: ONE, held: TWO, failed: ONE }],
  ["nothing is left", next(2, "active"), { changed: `${ONE},${TWO}`, held: "", failed: "" }],
];

for (const [says, got, wanted] of CASES) test(says, () => assert.deepEqual(got, wanted));
