import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { ClusterIdentity, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import { partCompiler } from "../usecases/compile-part.ts";
import { MachineRoll } from "./machine-roll.ts";

const KEYS = registryKeys("edge");
const IDENTITY: ClusterIdentity = {
  ...{ id: "c", name: "edge", source: "", branch: "main", manifest: "fleet.yaml", epoch: 1 },
};
const UNIT = "[Service]\nExecStart=/bin/true\n";
const keyOf = (letter: string) => `ed25519:${letter.repeat(42)}A`;
const manifest = (key: string) =>
  `apiVersion: fleet/v1\ncluster: edge\nmachines: { nas: { id: "${"1".repeat(32)}", key: "${key}" } }\n`;

async function rolling() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const compilePart = partCompiler({ source, manifestPath: "fleet.yaml" });
  const end = new AbortController();
  const roll = new MachineRoll(
    KEYS,
    { registry, source, trust: trustOf(source), compilePart, clock, log: () => {} },
    () => {},
  );
  const running = roll.run(end.signal);
  const put = async (key: string, record: object) => {
    await registry.txn({ when: [], then: [{ kind: "put", key, value: encodeRecord(record) }] });
    await clock.advance(1_000);
  };
  return {
    push: (key: string) => repository.push("main", { "fleet.yaml": manifest(key), "units/a.service": UNIT }),
    cluster: () => put(KEYS.cluster, IDENTITY),
    release: (commit: CommitId, seq = 1) => {
      const release: Release = {
        ...{ seq, commit, contentId: "", planId: "", parent: null, by: "", at: "" },
        specHash: "" as SpecHash,
      };
      return put(KEYS.release, { ...release, op: "o" });
    },
    lose: async (...keys: readonly string[]) => {
      for (const key of keys) {
        await registry.txn({ when: [], then: [{ kind: "delete", key }] });
        await clock.advance(1_000);
      }
    },
    known: () => [...roll.nodeKeys.keys()],
    close: async () => {
      end.abort(null);
      await clock.advance(1_000);
      await running;
    },
  };
}

test("keys are those of the commit in force", async () => {
  const roll = await rolling();
  await roll.cluster();
  await roll.release(roll.push(keyOf("a")));
  assert.deepEqual(roll.known(), [keyOf("a")]);
  await roll.release(roll.push(keyOf("b")), 2);
  assert.deepEqual(roll.known(), [keyOf("b")]);
  await roll.close();
});

test("a registry that loses its release, or all of it, and gets the same one back, cuts nobody off", async () => {
  const roll = await rolling();
  const commit = roll.push(keyOf("a"));
  await roll.cluster();
  await roll.release(commit);
  for (const lost of [[KEYS.release], [KEYS.release, KEYS.cluster]]) {
    await roll.lose(...lost);
    assert.deepEqual(roll.known(), [keyOf("a")], `while ${lost.length} are gone`);
    await roll.cluster();
    await roll.release(commit);
    assert.deepEqual(roll.known(), [keyOf("a")], `after ${lost.length} are back`);
  }
  await roll.close();
});
