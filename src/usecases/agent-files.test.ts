import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import type { StoredUnit } from "../codec/agent-state.ts";
import { encodeStoredUnit } from "../codec/agent-state.ts";
import type { UnitHash, UnitName } from "../domain/names.ts";
import { AgentFiles } from "./agent-files.ts";

const hashOf = (digit: string) => digit.repeat(64) as UnitHash;
const unit = (hash: UnitHash): StoredUnit => ({
  name: "a.service" as UnitName,
  service: "a.service" as UnitName,
  hash,
  files: [{ path: "a.service", text: "[Service]\n" }],
  after: [],
  oneshot: false,
});

test("a stored text is there for the next process and after a power loss", async () => {
  const disk = new MemoryFileStore();
  await new AgentFiles(disk).writeUnit(unit(hashOf("a")));
  disk.powerOff();
  assert.deepEqual(await new AgentFiles(disk).readUnit(hashOf("a")), unit(hashOf("a")));
});

test("only the texts in use are kept", async () => {
  const disk = new MemoryFileStore();
  const files = new AgentFiles(disk);
  for (const digit of ["a", "b"]) await files.writeUnit(unit(hashOf(digit)));
  await files.keepOnly(new Set([hashOf("a")]));
  for (const reader of [files, new AgentFiles(disk)]) {
    assert.notEqual(await reader.readUnit(hashOf("a")), null);
    assert.equal(await reader.readUnit(hashOf("b")), null);
  }
});

test("a hash in the registry that is a path reads no file of this machine", async () => {
  const disk = new MemoryFileStore();
  const evil = "../../../../../tmp/evil" as UnitHash;
  await disk.write("/tmp/evil.json", encodeStoredUnit(unit(evil)));
  const folders = { state: "/var/lib/fleet/agent", run: "/run/f", units: "/run/u", quadlets: "/run/q" };
  assert.equal(await new AgentFiles(disk, folders).readUnit(evil), null);
});

test("a text under another's hash is none", async () => {
  const disk = new MemoryFileStore();
  const files = new AgentFiles(disk);
  await disk.write(`${files.folders.state}/units/${hashOf("b")}.json`, encodeStoredUnit(unit(hashOf("a"))));
  assert.equal(await files.readUnit(hashOf("b")), null);
});

test("the unit folder itself stays when its last file goes, a drop-in folder does not", async () => {
  const disk = new MemoryFileStore();
  const files = new AgentFiles(disk);
  await files.stageUnitFile({ path: "a.service.d/10.conf", text: "" });
  await files.publishUnitFile({ path: "a.service.d/10.conf", text: "" });
  await files.removeUnitFile("a.service.d/10.conf");
  await files.stageUnitFile({ path: "a.service", text: "" });
  await files.publishUnitFile({ path: "a.service", text: "" });
  await files.removeUnitFile("a.service");
  assert.deepEqual(await disk.list(files.folders.units), []);
  assert.deepEqual(await disk.list("/run/systemd"), ["system"]);
});
