import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import type { ClusterIdentity, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, SpecHash } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";
import { REGISTRY_MEMORY_FILE, RegistryMemory } from "./registry-memory.ts";

const identity: ClusterIdentity = {
  id: "a",
  name: "prod",
  source: "",
  branch: "main",
  manifest: "fleet.yaml",
  epoch: 1,
};
const texts = { contentId: "", planId: "", parent: null, by: "", at: "" };
const release = (seq: number): Release => ({ seq, commit: `c${seq}` as CommitId, specHash: "h" as SpecHash, ...texts });

test("what counts is there again after a restart, and only what was saved", async () => {
  const disk = new MemoryFileStore();
  const memory = new RegistryMemory(disk, "/state");
  await memory.recall();
  assert.equal(memory.judge({ identity, release: release(3), term: 4 }), null);
  await memory.save();
  assert.equal(memory.judge({ identity, release: release(5), term: 4 }), null);
  const again = new RegistryMemory(disk, "/state");
  await again.recall();
  assert.deepEqual(again.mark, { clusterId: "a", epoch: 1, term: 4, seq: 3, commit: "c3" });
  assert.equal(again.judge({ identity, release: release(2), term: 4 })?.code, "release-behind");
  assert.equal(again.mark?.seq, 3, "what went back is not learnt");
});

test("an idle engine writes nothing to its disk", async () => {
  const disk = new MemoryFileStore();
  const memory = new RegistryMemory(disk, "/state");
  memory.judge({ identity, release: release(3), term: 4 });
  await memory.save();
  const [before] = await disk.fingerprints([`/state/${REGISTRY_MEMORY_FILE}`]);
  memory.judge({ identity, release: release(3), term: 4 });
  await memory.save();
  assert.deepEqual(await disk.fingerprints([`/state/${REGISTRY_MEMORY_FILE}`]), [before]);
});

test("a file nobody can read is none: the engine goes by what its machines say", async () => {
  const disk = new MemoryFileStore();
  await disk.write(`/state/${REGISTRY_MEMORY_FILE}`, '{"v":1,');
  const memory = new RegistryMemory(disk, "/state");
  await memory.recall();
  assert.equal(memory.mark, null);
});

test("a disk that takes nothing rejects, and what was seen counts as long as the engine runs", async () => {
  const disk = new MemoryFileStore();
  disk.write = () => Promise.reject(new OperationError("disk-full", "no room"));
  const memory = new RegistryMemory(disk, "/state");
  memory.judge({ identity, release: release(3), term: 4 });
  await assert.rejects(memory.save(), (error: OperationError) => error.code === "disk-full");
  assert.equal(memory.judge({ identity: null, release: null, term: 0 })?.code, "cluster-gone");
});
