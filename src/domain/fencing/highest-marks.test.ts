import assert from "node:assert/strict";
import { test } from "node:test";
import type { ClusterIdentity, Member } from "../cluster/cluster-snapshot.ts";
import type { CommitId, MachineId } from "../names.ts";
import { highestMarks, markOfMember } from "./highest-marks.ts";

const identity: ClusterIdentity = { id: "c", name: "c", source: "", branch: "main", manifest: "fleet.yaml", epoch: 2 };
const commit = (digit: string) => digit.repeat(40) as CommitId;

function member(name: string, acceptedSeq: number, acceptedCommit?: unknown, acceptedEpoch = 2): Member {
  return {
    ...{ id: name as MachineId, name, address: "", metadata: {}, bootId: "", version: "", joined: "" },
    ...{ acceptedSeq, acceptedEpoch, present: true, presenceRevision: 1 },
    ...(acceptedCommit === undefined ? {} : { acceptedCommit: acceptedCommit as CommitId }),
  };
}

test("what counts is what the machines that came furthest have taken", () => {
  const table: readonly (readonly [what: string, members: readonly Member[], marks: readonly string[]])[] = [
    ["nobody", [], []],
    ["a machine that has taken nothing", [member("a", 0)], []],
    ["an older agent, which does not say", [member("a", 8)], []],
    ["all the same", [member("b", 8, commit("5")), member("a", 8, commit("5"))], ["5 b"]],
    ["one that was away for long", [member("a", 3, commit("3")), member("b", 8, commit("5"))], ["5 b"]],
    ["of an earlier epoch", [member("a", 9, commit("9"), 1), member("b", 8, commit("5"))], ["5 b"]],
    ["one that forgot what it took, alone", [member("a", 0, commit("5"))], ["5 a"]],
    ["two that disagree", [member("a", 8, commit("6")), member("b", 8, commit("5"))], ["5 b", "6 a"]],
    ["what is no commit", [member("a", 9, "HEAD"), member("b", 9, 7), member("c", 8, commit("5"))], ["5 c"]],
    [
      "many that lie",
      Array.from({ length: 10 }, (_, at) => member(`m${at}`, 8, commit(`${at}`))),
      ["0 m0", "1 m1", "2 m2", "3 m3"],
    ],
  ];
  for (const [what, members, marks] of table) {
    const found = highestMarks({ identity, members }).map((mark) => `${mark.commit[0]} ${mark.machine}`);
    assert.deepEqual(found, marks, what);
  }
});

test("a mark is a commit's id and nothing else", () => {
  assert.equal(markOfMember({ acceptedCommit: commit("a") }), commit("a"));
  assert.equal(markOfMember({}), null);
  assert.equal(markOfMember({ acceptedCommit: `${commit("a")}\n` as CommitId }), null);
});
