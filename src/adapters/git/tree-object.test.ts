import assert from "node:assert/strict";
import { test } from "node:test";
import { parseTree } from "./tree-object.ts";

const id = Buffer.alloc(20, 0xab);
const entry = (mode: string, name: string) => Buffer.concat([Buffer.from(`${mode} ${name}\0`), id]);

test("modes tell files, links, submodules and folders apart", () => {
  const table = [
    ["100644", "file"],
    ["100755", "file"],
    ["100664", "file"],
    ["120000", "symlink"],
    ["160000", "submodule"],
    ["40000", "folder"],
  ] as const;
  for (const [mode, kind] of table) {
    const executable = mode === "100755" ? { executable: true } : {};
    assert.deepEqual(parseTree(entry(mode, "a"), ""), [{ name: "a", oid: "ab".repeat(20), kind, ...executable }]);
  }
  assert.throws(() => parseTree(entry("100666", "a"), "units"), { code: "tree-name-refused" });
});

test("names systemd needs are allowed, also those other programs refuse", () => {
  for (const name of [
    "srv-my\\x2ddata.mount",
    "web@1:2.service",
    ".gitignore",
    "ünit.service",
    "...",
    "n".repeat(255),
  ]) {
    assert.equal(parseTree(entry("100644", name), "units")[0]?.name, name);
  }
});

test("a tree cut anywhere is damage", () => {
  const whole = entry("100644", "a.service");
  for (let length = 1; length < whole.length; length++) {
    assert.throws(() => parseTree(whole.subarray(0, length), ""), { code: "object-corrupt" }, `${length} bytes`);
  }
});
