import assert from "node:assert/strict";
import { chownSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { parseNodeKey } from "../domain/identity/node-key.ts";
import { ownEngineKey } from "./own-engine-key.ts";

/** What systemd might make up for a service. */
const DYNAMIC_USER = 61_234;

const skip = process.geteuid?.() !== 0 ? "it is root's to do" : false;

test("a key that root makes for the engine belongs to whoever has the engine's folder, and is read again", {
  skip,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-engine-key-"));
  try {
    const state = join(folder, "fleet-engine");
    mkdirSync(state);
    chownSync(state, DYNAMIC_USER, DYNAMIC_USER);
    const key = await ownEngineKey(state);
    assert.equal(parseNodeKey(key), key);
    const path = join(state, "engine/identity/key.pem");
    for (const made of [path, join(state, "engine/identity"), join(state, "engine")]) {
      assert.deepEqual([statSync(made).uid, statSync(made).gid], [DYNAMIC_USER, DYNAMIC_USER], made);
    }
    assert.equal(statSync(path).mode & 0o777, 0o600);
    assert.equal(await ownEngineKey(state), key);
    writeFileSync(path, "no key");
    await assert.rejects(ownEngineKey(state), { code: "key-malformed" });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
