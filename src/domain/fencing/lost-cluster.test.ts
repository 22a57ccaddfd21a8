import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId } from "../../../test/property/generators/cluster.ts";
import type { ClusterSnapshot, KeptSet, Member, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { RegistryMark } from "./judge-replaced.ts";
import { witnessOf } from "./lost-cluster.ts";

const identity = { id: "a", name: "prod", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 };
const kept: KeptSet = {
  ...{ machine: machineId(2), identity, release: { seq: 7 } as Release },
  ...{ epoch: 1, generation: 3, placements: [] },
};
const known: RegistryMark = { clusterId: "a", epoch: 1, term: 3, seq: 6, commit: null };

function member(index: number, cluster?: string): Member {
  const texts = { name: `m${index}`, address: "", metadata: {}, bootId: "", version: "", joined: "" };
  const rest = { acceptedSeq: 0, present: true, presenceRevision: 1 };
  return { id: machineId(index), ...texts, ...rest, ...(cluster === undefined ? {} : { cluster }) };
}

const CASES: readonly [string, Partial<ClusterSnapshot>, RegistryMark | null, string | null][] = [
  ["an empty registry is a new one", {}, null, null],
  ["machines that never had a cluster may get one", { members: [member(1), member(2)] }, null, null],
  ["one that belongs to a cluster says that there was one", { members: [member(1), member(2, "a")] }, null, "belongs"],
  ["what a machine keeps says more", { members: [member(2, "a")], kept: [kept] }, known, "keeps"],
  ["an engine remembers, whoever else is silent", { members: [member(1)] }, known, "remembers"],
  ["a registry with a cluster has lost none", { identity, members: [member(2, "b")], kept: [kept] }, known, null],
];
for (const [sentence, shown, mark, code] of CASES) {
  test(sentence, () => assert.equal(witnessOf({ ...emptySnapshot, ...shown }, mark)?.code ?? null, code));
}
