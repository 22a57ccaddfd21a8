import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { type GitObject, objectId } from "./git-object.ts";
import { packOf } from "./pack-of.ts";

test("git itself takes such a pack and its index for its own", () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-pack-"));
  try {
    const sizes = [0, 1, 15, 16, 17, 2_047, 2_048, 2_049, 70_000];
    const blobs = sizes.map((size): GitObject => ({ type: "blob", content: Buffer.alloc(size, "unit ") }));
    const objects = new Map(blobs.map((blob) => [objectId(blob), blob]));
    const { name, pack, index } = packOf(objects);
    writeFileSync(join(folder, `pack-${name}.pack`), pack);
    writeFileSync(join(folder, `pack-${name}.idx`), index);
    const told = execFileSync("git", ["verify-pack", "-v", join(folder, `pack-${name}.idx`)], { encoding: "utf8" });
    for (const [id, { content }] of objects) assert.match(told, new RegExp(`^${id} blob +${content.length} `, "m"));
  } finally {
    rmSync(folder, { recursive: true });
  }
});
