import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSelector } from "../cluster/selector.ts";
import type { MachineId } from "../names.ts";
import type { Ring } from "../spec/cluster-spec.ts";
import { ringCount, ringOf } from "./rings.ts";

function ring(name: string): Ring {
  const match = name === "*" ? null : parseSelector(name);
  assert.ok(match === null || !("problem" in match));
  return { name, match, soakMs: 0, window: null };
}

function machine(name: string, metadata: Record<string, string> = {}) {
  return { id: name.padStart(32, "0") as MachineId, name, metadata };
}

test("a machine is in the first ring it matches", () => {
  const rings = [ring("stage=early"), ring("m2"), ring("*")];
  assert.deepEqual(
    [machine("m1", { stage: "early" }), machine("m2", { stage: "early" }), machine("m2"), machine("m3")].map((one) =>
      ringOf(rings, one),
    ),
    [0, 0, 1, 2],
  );
});

test("a machine in no ring comes after the last, as one ring more", () => {
  const rings = [ring("stage=early"), ring("m2")];
  assert.equal(ringOf(rings, machine("m3")), 2);
  assert.equal(ringCount(rings, [machine("m2"), machine("m3")]), 3);
  assert.equal(ringCount(rings, [machine("m2")]), 2);
});

test("without rings all machines are in the only one", () => {
  assert.equal(ringOf([], machine("m1")), 0);
  assert.equal(ringCount([], [machine("m1")]), 1);
  assert.equal(ringCount([], []), 1);
});
