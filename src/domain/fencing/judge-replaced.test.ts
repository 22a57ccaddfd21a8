import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterIdentity, Member, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { CommitId, MachineId, SpecHash } from "../names.ts";
import { judgeReplaced, markOf, memberAhead, type RegistryMark, type ShownRegistry } from "./judge-replaced.ts";

const identity: ClusterIdentity = {
  id: "a",
  name: "prod",
  source: "",
  branch: "main",
  manifest: "fleet.yaml",
  epoch: 2,
};
const release = releaseOf(5, "c5");
const shown: ShownRegistry = { identity, release, term: 7 };
const known: RegistryMark = { clusterId: "a", epoch: 2, term: 7, seq: 5, commit: "c5" as CommitId };

function releaseOf(seq: number, commit: string): Release {
  const hash = "h" as SpecHash;
  return { seq, commit: commit as CommitId, specHash: hash, contentId: "", planId: "", parent: null, by: "", at: "" };
}

describe("a registry that went back behind what is remembered", () => {
  const cases: [string, Partial<ShownRegistry>, string | null][] = [
    ["the very same is not replaced", {}, null],
    ["a later release and term are progress", { release: releaseOf(6, "c6"), term: 9 }, null],
    ["one without a cluster was wiped", { identity: null, release: null, term: 0 }, "cluster-gone"],
    ["another id is another cluster", { identity: { ...identity, id: "b" } }, "other-cluster"],
    ["a lower epoch is an earlier life", { identity: { ...identity, epoch: 1 } }, "epoch-behind"],
    ["no release where one was", { release: null }, "release-gone"],
    ["an earlier release is a backup's", { release: releaseOf(4, "c4") }, "release-behind"],
    [
      "the same number with another commit was restored and applied to",
      { release: releaseOf(5, "x") },
      "other-release",
    ],
    ["a lower term is a backup's", { term: 6 }, "term-behind"],
    ["a term nobody looked at says nothing", { term: null }, null],
    [
      "a raised epoch is somebody's will, whatever else is lower",
      { identity: { ...identity, epoch: 3 }, release: releaseOf(1, "x"), term: 0 },
      null,
    ],
    ["a raised epoch of another cluster too", { identity: { ...identity, id: "b", epoch: 3 } }, null],
  ];
  for (const [sentence, change, code] of cases) {
    test(sentence, () => assert.equal(judgeReplaced({ ...shown, ...change }, known)?.code ?? null, code));
  }

  test("who remembers nothing takes what there is", () => {
    assert.equal(judgeReplaced({ identity: null, release: null, term: 0 }, null), null);
    assert.equal(judgeReplaced(shown, null), null);
  });

  test("before the first release nothing can be behind", () => {
    assert.equal(judgeReplaced({ ...shown, release: null }, { ...known, seq: 0, commit: null }), null);
  });
});

describe("what is remembered", () => {
  test("is what the registry shows", () => assert.deepEqual(markOf(shown, null), known));
  test("forgets the terms and the releases of an earlier epoch: another engine may lead the new one first", () => {
    const raised = { identity: { ...identity, epoch: 3 }, release: releaseOf(1, "x"), term: 1 };
    const mark = markOf(raised, known);
    assert.deepEqual(mark, { clusterId: "a", epoch: 3, term: 1, seq: 1, commit: "x" });
    assert.equal(judgeReplaced(raised, mark), null);
  });
  test("keeps the highest term where nobody looked at it", () => {
    assert.equal(markOf({ ...shown, term: null }, known)?.term, 7);
  });
  test("stays where there is no cluster", () => {
    assert.equal(markOf({ identity: null, release: null, term: 0 }, known), known);
  });
});

describe("a machine that is ahead of the registry", () => {
  const member = (acceptedSeq: number, acceptedEpoch?: number): Member => ({
    ...{ id: "m" as MachineId, name: "m1", address: "", metadata: {}, bootId: "", version: "", joined: "" },
    ...{ acceptedSeq, present: true, presenceRevision: 1, ...(acceptedEpoch === undefined ? {} : { acceptedEpoch }) },
  });
  const cases: [string, Member, boolean][] = [
    ["has taken a later release", member(6, 2), true],
    ["has taken one of a later epoch", member(1, 3), true],
    ["is not one that has taken this release", member(5, 2), false],
    ["is not one that has taken a later release in an earlier epoch", member(9, 1), false],
    ["is not one that never said an epoch, beside a registry of a second one", member(9), false],
  ];
  for (const [sentence, one, isAhead] of cases) {
    test(sentence, () => {
      const found = memberAhead({ ...emptySnapshot, identity, release, members: [one] });
      assert.equal(found?.code ?? null, isAhead ? "member-ahead" : null);
    });
  }
});
