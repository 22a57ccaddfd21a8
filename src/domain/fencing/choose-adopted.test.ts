import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { machineId } from "../../../test/property/generators/cluster.ts";
import type { ClusterIdentity, ClusterSnapshot, KeptSet, Member, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { CommitId, SpecHash } from "../names.ts";
import { chooseAdopted } from "./choose-adopted.ts";

const identity: ClusterIdentity = {
  id: "a",
  name: "prod",
  source: "",
  branch: "main",
  manifest: "fleet.yaml",
  epoch: 1,
};

function releaseOf(seq: number, commit = `c${seq}`): Release {
  const texts = { contentId: "", planId: "", parent: null, by: "", at: "" };
  return { seq, commit: commit as CommitId, specHash: "h" as SpecHash, ...texts };
}

function member(index: number, change: Partial<Member> = {}): Member {
  const texts = { name: `m${index}`, address: "", metadata: {}, bootId: "", version: "", joined: "" };
  return { id: machineId(index), ...texts, acceptedSeq: 5, setEpoch: 1, present: true, presenceRevision: 1, ...change };
}

function kept(index: number, seq: number, change: Partial<KeptSet> = {}): KeptSet {
  const set = { epoch: 1, generation: 9, placements: [] };
  return { machine: machineId(index), identity, release: releaseOf(seq), ...set, ...change };
}

const members = [member(1), member(2)];
const wiped: ClusterSnapshot = { ...emptySnapshot, members, kept: [kept(1, 5), kept(2, 4)] };
const behind: ClusterSnapshot = { ...wiped, identity, release: releaseOf(3) };

describe("what a cluster goes on with", () => {
  const cases: [string, ClusterSnapshot, string][] = [
    ["a wiped one: what its machines took last, in a new epoch", wiped, "a epoch 2 release 5 put back"],
    ["a restored one: the same, where they took more", behind, "a epoch 2 release 5 put back"],
    [
      "a restored one whose release is the latest keeps it",
      { ...behind, release: releaseOf(6) },
      "a epoch 2 release 6",
    ],
    [
      "the same number for another commit is what machines took",
      { ...behind, release: releaseOf(5, "x") },
      "a epoch 2 release 5 put back",
    ],
    [
      "one with which nothing is wrong only gets a new epoch",
      { ...behind, kept: [], release: releaseOf(5) },
      "a epoch 2 release 5",
    ],
    ["one that never had a release", { ...behind, kept: [], release: null }, "a epoch 2 release none"],
    [
      "the epoch is one nobody has seen",
      { ...wiped, kept: [kept(1, 5, { epoch: 7 })] },
      "a epoch 8 release 5 put back",
    ],
    ["an empty registry nobody speaks in", emptySnapshot, "nothing"],
    [
      "one that another cluster was made in meanwhile, by machines that all belong to the first",
      { ...behind, identity: { ...identity, id: "b" } },
      "a epoch 2 release 5 put back",
    ],
    [
      "machines of two clusters",
      { ...wiped, kept: [kept(1, 5), kept(2, 5, { identity: { ...identity, id: "b" } })] },
      "several a: m1; b: m2",
    ],
    [
      "a machine that belongs elsewhere beside one that goes by this registry",
      { ...behind, identity: { ...identity, id: "b" }, kept: [kept(1, 5)] },
      "several a: m1; b: m2",
    ],
  ];
  for (const [sentence, snapshot, answer] of cases) {
    test(sentence, () => {
      const choice = chooseAdopted(snapshot, null);
      if (choice.kind === "nothing") return assert.equal("nothing", answer);
      if (choice.kind === "several") {
        const clusters = choice.clusters.map(({ id, machines }) => `${id}: ${machines.join(" ")}`).join("; ");
        return assert.equal(`several ${clusters}`, answer);
      }
      const release = `release ${choice.release?.seq ?? "none"}${choice.isReleasePutBack ? " put back" : ""}`;
      assert.equal(`${choice.identity.id} epoch ${choice.identity.epoch} ${release}`, answer);
    });
  }

  test("what an engine remembers counts for the epoch as well", () => {
    const known = { clusterId: "a", epoch: 4, term: 1, seq: 1, commit: null };
    const choice = chooseAdopted(behind, known);
    assert.equal(choice.kind === "adopt" && choice.identity.epoch, 5);
  });
});
