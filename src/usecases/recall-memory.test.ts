import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { encodeAgentState, encodeOwnedUnits } from "../codec/agent-state.ts";
import { encodeBootSet } from "../codec/boot-set.ts";
import { encodeRegistryMark } from "../codec/registry-mark-record.ts";
import type { CommitId, SpecHash, UnitHash, UnitName } from "../domain/names.ts";
import { AGENT_FOLDERS } from "./agent-files.ts";
import { findForeignFiles, recallMemory } from "./recall-memory.ts";

const web = "web.service" as UnitName;
const hash = "a".repeat(64) as UnitHash;
const STATE = `${AGENT_FOLDERS.state}/state.json`;
const BOOT_SET = `${AGENT_FOLDERS.state}/boot-set`;
const state = encodeAgentState({
  clusterId: "c1",
  clusterName: "home",
  accepted: { seq: 3, commit: "1" as CommitId, specHash: "2" as SpecHash },
  set: { epoch: 1, generation: 1, placements: [{ unit: web, hash, goal: "launched" }] },
});

test("what an agent would start from is told", async () => {
  const disk = new MemoryFileStore();
  await disk.write(STATE, state);
  await disk.write(BOOT_SET, encodeBootSet({ files: [], start: [web] }));
  assert.deepEqual(await recallMemory(disk, AGENT_FOLDERS), {
    clusterId: "c1",
    clusterName: "home",
    releaseSeq: 3,
    marks: [{ clusterId: "c1", epoch: 1, term: 0, seq: 3, commit: "1" }],
    placed: 1,
    damaged: [],
    isBootSetCut: false,
  });
});

test("how far the registry had come is told as agent and engine remember it", async () => {
  const disk = new MemoryFileStore();
  await disk.write(STATE, state);
  const engine = { clusterId: "c1", epoch: 1, term: 4, seq: 5, commit: "5" as CommitId };
  await disk.write("/state/engine/registry.json", encodeRegistryMark(engine));
  const { marks } = await recallMemory(disk, AGENT_FOLDERS, ["/nowhere", "/state/engine"]);
  assert.deepEqual(marks, [{ clusterId: "c1", epoch: 1, term: 0, seq: 3, commit: "1" }, engine]);
});

test("a machine that was never part of a cluster has nothing that is damaged", async () => {
  const { clusterName, damaged, isBootSetCut } = await recallMemory(new MemoryFileStore(), AGENT_FOLDERS);
  assert.deepEqual([clusterName, damaged, isBootSetCut], [null, [], false]);
});

test("files that are there and cannot be read are named, and half a boot set is known", async () => {
  const disk = new MemoryFileStore();
  const [owned, holds] = [`${AGENT_FOLDERS.run}/owned.json`, `${AGENT_FOLDERS.state}/holds.json`];
  for (const path of [STATE, owned, holds]) await disk.write(path, '{"v":1,');
  await disk.write(BOOT_SET, "start web.service\n");
  const { damaged, isBootSetCut } = await recallMemory(disk, AGENT_FOLDERS);
  assert.deepEqual([damaged, isBootSetCut], [[STATE, owned, holds], true]);
});

test("of texts of units only those that are needed count", async () => {
  const disk = new MemoryFileStore();
  await disk.write(STATE, state);
  const units = `${AGENT_FOLDERS.state}/units`;
  for (const name of [`${hash}.json`, `${"b".repeat(64)}.json`]) await disk.write(`${units}/${name}`, "half");
  assert.deepEqual((await recallMemory(disk, AGENT_FOLDERS)).damaged, [`${units}/${hash}.json`]);
});

test("files of others are found in the way of what fleet wrote, and ours are not", async () => {
  const disk = new MemoryFileStore();
  const files = [web, `${web}.d/10-fleet.conf`];
  const owned = { service: web, files, onDisk: hash, loaded: hash, started: hash };
  await disk.write(`${AGENT_FOLDERS.run}/owned.json`, encodeOwnedUnits(new Map([[web, owned]])));
  for (const path of files) await disk.write(`${AGENT_FOLDERS.units}/${path}`, "[Service]\n");
  assert.deepEqual(await findForeignFiles(disk, AGENT_FOLDERS), []);
  const [dropin, shadow] = [`/etc/systemd/system/${web}.d/x.conf`, `/etc/systemd/system/${web}`];
  const beside = `${AGENT_FOLDERS.units}/${web}.d/theirs.conf`;
  for (const path of [dropin, shadow, beside]) await disk.write(path, "[Service]\n");
  await disk.write("/etc/systemd/system/other.service", "[Service]\n");
  const kinds = async () => (await findForeignFiles(disk, AGENT_FOLDERS)).map(({ kind, path }) => `${kind} ${path}`);
  assert.deepEqual(await kinds(), [`drop-in ${beside}`, `shadow ${shadow}`, `drop-in ${dropin}`]);
  await disk.remove(shadow);
  disk.mask(shadow);
  assert.deepEqual(await kinds(), [`drop-in ${beside}`, `mask ${shadow}`, `drop-in ${dropin}`]);
});
