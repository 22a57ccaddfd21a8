import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore, ProcessDied } from "./memory-file-store.ts";

const PATH = "/var/lib/fleet/state.json";

test("power loss keeps what was synced, and nothing under /run", async () => {
  const files = new MemoryFileStore();
  await files.write(PATH, "synced");
  await files.write(PATH, "not synced", { durable: false });
  await files.write("/run/systemd/system/a.service", "synced, but in memory");
  await files.write("/var/lib/fleet/other", "not synced", { durable: false });
  files.powerOff();
  assert.equal(await files.read(PATH), "synced");
  assert.deepEqual(await files.list("/var/lib/fleet"), ["state.json"]);
  assert.deepEqual(await files.list("/run"), []);
});

test("what is staged to last is there after a power loss from its publication on, whole", async () => {
  const files = new MemoryFileStore();
  await files.stage(PATH, "new", { durable: true, mode: 0o600 });
  files.powerOff();
  assert.equal(await files.read(PATH), null);
  await files.stage(PATH, "new", { durable: true, mode: 0o600 });
  await files.publish(PATH);
  files.powerOff();
  assert.deepEqual([await files.read(PATH), files.peek(PATH)?.mode], ["new", 0o600]);
});

test("a removed file does not come back with the power", async () => {
  const files = new MemoryFileStore();
  await files.write(PATH, "x");
  await files.remove(PATH);
  files.powerOff();
  assert.equal(await files.read(PATH), null);
});

test("dying at any step leaves the old file or the new one, for the next process and after a power loss", async () => {
  const seen = new Set<string>();
  for (const power of [true, false]) {
    for (let step = 1; ; step++) {
      const files = new MemoryFileStore();
      await files.write(PATH, "old");
      files.dieAfter(step);
      const died = await files.write(PATH, "new").then(
        () => false,
        (error) => error instanceof ProcessDied,
      );
      if (!died) break;
      await assert.rejects(files.read(PATH), ProcessDied, "a dead process reads nothing");
      if (power) files.powerOff();
      else files.restartProcess();
      const text = await files.read(PATH);
      assert.ok(text === "old" || text === "new", `${text} after step ${step}`);
      seen.add(`${text} ${power}`);
      await files.write(PATH, "newer");
      assert.deepEqual(await files.list("/var/lib/fleet"), ["state.json"]);
    }
  }
  assert.deepEqual([...seen].sort(), ["new false", "old false", "old true"]);
});

test("a full disk still lets files be removed, a read-only one does not", async () => {
  const files = new MemoryFileStore();
  await files.write(PATH, "old");
  files.fault = "disk-full";
  await assert.rejects(files.write(PATH, "new"), { code: "disk-full" });
  files.fault = "read-only";
  await assert.rejects(files.remove(PATH), { code: "read-only" });
  assert.equal(await files.read(PATH), "old");
  files.fault = "disk-full";
  await files.remove(PATH);
  assert.equal(await files.read(PATH), null);
});
