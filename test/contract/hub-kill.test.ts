import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { HubStore } from "../../src/adapters/git/hub-store.ts";

/** Killed after so many objects have been said to be there: in the middle of whatever comes next. */
const AFTER = [1, 40, 150];

test("what a machine said it has is there whole after it was killed, and nothing that is half there is in the way", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-kill-"));
  const told: string[] = [];
  try {
    for (const [seed, after] of AFTER.entries()) {
      const writer = join(import.meta.dirname, "hub-writer.ts");
      const child = spawn(process.execPath, [writer, folder, String(seed)], { stdio: ["ignore", "pipe", "inherit"] });
      const ended = once(child, "close");
      let text = "";
      child.stdout.on("data", (chunk: Buffer) => {
        text += chunk.toString();
        if (text.split("\n").length > after) child.kill("SIGKILL");
      });
      const [, signal] = await ended;
      assert.equal(signal, "SIGKILL");
      told.push(...text.split("\n").filter((line) => line.length === 40));
      const damage: string[] = [];
      const store = new HubStore(folder, (what) => damage.push(what));
      assert.deepEqual(
        told.filter((oid) => store.read(oid, 100) === null),
        [],
      );
      assert.deepEqual(damage, []);
      store.close();
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
});
