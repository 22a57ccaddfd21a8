import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../names.ts";
import { awaitedWindow } from "./awaited-window.ts";
import type { RolloutRecord } from "./rollout-record.ts";

interface Case {
  readonly record?: Partial<RolloutRecord>;
  /** Rings in which something is left to change. */
  readonly left: readonly number[];
  /** Rings whose windows are closed. */
  readonly closed: readonly number[];
  readonly is: number | null;
}

const CASES: Readonly<Record<string, Case>> = {
  "the next ring's, once nothing is left in those that are open": { left: [1, 2], closed: [1], is: 1 },
  "not while something is left in them": { left: [0, 1], closed: [1], is: null },
  "not while they soak": { record: { soakedMs: 1 }, left: [1], closed: [1], is: null },
  "but once they have": { record: { soakedMs: 60_000 }, left: [1], closed: [1], is: 1 },
  "not where it is open": { left: [1], closed: [], is: null },
  "not of a ring in which nothing is left to change": { left: [2], closed: [1], is: null },
  "of the first ring, which is open from the beginning": { left: [0, 1], closed: [0], is: 0 },
  "not where another open ring goes on": { record: { openRings: 2 }, left: [0, 1], closed: [0], is: null },
  "not while everything stands still": { record: { phase: "paused" }, left: [0], closed: [0], is: null },
};

for (const [sentence, { record, left, closed, is }] of Object.entries(CASES)) {
  test(sentence, () => {
    const replicas = left.map((ring) => ({ unit: "web.service" as UnitName, machine: String(ring) as MachineId }));
    const gates = { ringOf: Number, soakMs: () => 60_000, isOpen: (ring: number) => !closed.includes(ring) };
    assert.equal(awaitedWindow({ phase: "rolling", openRings: 1, soakedMs: 0, ...record }, replicas, gates), is);
  });
}
