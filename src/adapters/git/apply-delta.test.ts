import assert from "node:assert/strict";
import { test } from "node:test";
import { applyDelta, deltaSizes } from "./apply-delta.ts";

const bytes = (...parts: readonly (number | string)[]) =>
  Buffer.concat(parts.map((part) => (typeof part === "number" ? Buffer.from([part]) : Buffer.from(part))));

test("copies and insertions rebuild the object", () => {
  const base = Buffer.from("hello, old world");
  // Copy 7 bytes from 0; insert "new"; copy 6 bytes from 10.
  const delta = bytes(16, 16, 0x90, 7, 3, "new", 0x91, 10, 6);
  assert.deepEqual(deltaSizes(delta), { base: 16, result: 16, bodyAt: 2 });
  assert.equal(applyDelta(base, delta).toString(), "hello, new world");
});

test("a copy without a size is 64 KiB, and sizes above 127 take more bytes", () => {
  const base = Buffer.alloc(0x10000, "x");
  const delta = bytes(0x80, 0x80, 0x04, 0x80, 0x80, 0x04, 0x80);
  assert.equal(applyDelta(base, delta).length, 0x10000);
});

test("a delta that lies about anything is damage, never a wrong object or a crash", () => {
  const base = Buffer.from("0123456789");
  const table: readonly [string, Buffer][] = [
    ["another base", bytes(9, 1, 1, "x")],
    ["a copy past the base", bytes(10, 5, 0x91, 8, 5)],
    ["an insertion past the delta", bytes(10, 5, 5, "ab")],
    ["more than it says", bytes(10, 1, 2, "ab")],
    ["less than it says", bytes(10, 3, 2, "ab")],
    ["the reserved instruction", bytes(10, 1, 0)],
    ["cut in an instruction", bytes(10, 1, 0x91)],
    ["a size that does not end", bytes(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff)],
    ["nothing", Buffer.alloc(0)],
  ];
  for (const [what, delta] of table) assert.throws(() => applyDelta(base, delta), { code: "object-corrupt" }, what);
});
