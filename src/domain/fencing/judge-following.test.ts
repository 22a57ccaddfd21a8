import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { ClusterIdentity, ClusterSnapshot, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { CommitId, MachineId, SpecHash } from "../names.ts";
import { judgeFollowing, type Taken } from "./judge-following.ts";

const machine = "m" as MachineId;
const identity: ClusterIdentity = {
  id: "a",
  name: "prod",
  source: "",
  branch: "main",
  manifest: "fleet.yaml",
  epoch: 2,
};
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
const header = (epoch: number, generation: number) => ({ epoch, generation, count: 0, digest: "" });
const set = (epoch: number, generation: number) => ({
  machine,
  header: header(epoch, generation),
  headerModRevision: 1,
  placements: [],
});
const snapshot: ClusterSnapshot = { ...emptySnapshot, identity, release, sets: [set(2, 30)] };
const taken: Taken = {
  clusterId: "a",
  release: { epoch: 2, seq: 5, commit: "c5" as CommitId },
  set: { epoch: 2, generation: 30, placements: [] },
};

describe("whether a machine may go by the registry it sees", () => {
  const cases: [string, Partial<ClusterSnapshot>, Partial<Taken>, string | null][] = [
    ["it goes by the one it knows", {}, {}, null],
    ["a new machine goes by any", {}, { clusterId: null, release: null, set: null }, null],
    [
      "a newer release and set are what it waits for",
      { release: { ...release, seq: 6 }, sets: [set(2, 31)] },
      {},
      null,
    ],
    ["a missing header is the engine's to mend, and the machine tells what was in it", { sets: [] }, {}, "set-damaged"],
    ["so is a header of an earlier epoch", { sets: [set(1, 90)] }, {}, "set-damaged"],
    [
      "so is a set of which a part is gone",
      { sets: [{ ...set(2, 30), header: { ...header(2, 30), count: 1 } }] },
      {},
      "set-damaged",
    ],
    ["a machine that never had a set has nothing to tell", { sets: [] }, { set: null }, null],
    ["a wiped registry orders nothing", { identity: null, release: null, sets: [] }, {}, "cluster-gone"],
    ["another cluster is not obeyed", { identity: { ...identity, id: "b" } }, {}, "other-cluster"],
    ["a registry of an earlier epoch is an old one", { identity: { ...identity, epoch: 1 } }, {}, "epoch-behind"],
    ["a release that is gone", { release: null }, {}, "release-gone"],
    ["an earlier release is a backup's", { release: { ...release, seq: 4 } }, {}, "release-behind"],
    ["the same number for another commit", { release: { ...release, commit: "x" as CommitId } }, {}, "other-release"],
    ["an earlier set is a backup's", { sets: [set(2, 29)] }, {}, "set-behind"],
    [
      "in a new epoch it waits for its set",
      { sets: [set(1, 30)] },
      { set: { epoch: 1, generation: 30, placements: [] } },
      "new-epoch",
    ],
    [
      "in a new epoch a lower release is no sign",
      { release: { ...release, seq: 3 } },
      { release: { epoch: 1, seq: 5, commit: "c5" as CommitId } },
      null,
    ],
  ];
  for (const [sentence, shows, has, code] of cases) {
    test(sentence, () => {
      const because = judgeFollowing({ ...taken, ...has }, { ...snapshot, ...shows }, machine);
      assert.equal(because?.code ?? null, code);
    });
  }
});
