import assert from "node:assert/strict";
import { test } from "node:test";
import { LeastRecent } from "./least-recent.ts";

test("what was asked for longest ago goes first, and weight counts", () => {
  const memory = new LeastRecent<string, number>(10);
  memory.set("a", 1, 4);
  memory.set("b", 2, 4);
  assert.equal(memory.get("a"), 1);
  memory.set("c", 3, 4);
  assert.deepEqual([memory.get("a"), memory.get("b"), memory.get("c")], [1, undefined, 3]);
});

test("setting again replaces the weight, and deleting frees it", () => {
  const memory = new LeastRecent<string, number>(10);
  memory.set("a", 1, 9);
  memory.set("a", 2, 3);
  memory.set("b", 3, 7);
  assert.deepEqual([memory.get("a"), memory.get("b")], [2, 3]);
  memory.delete("a");
  memory.set("c", 4, 3);
  assert.deepEqual([memory.get("b"), memory.get("c")], [3, 4]);
});

test("a value heavier than the whole memory is not kept", () => {
  const memory = new LeastRecent<string, number>(10);
  memory.set("a", 1, 11);
  assert.equal(memory.get("a"), undefined);
});
