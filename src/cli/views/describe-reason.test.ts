import assert from "node:assert/strict";
import { test } from "node:test";
import type { RejectReason } from "../../domain/placement/placement.ts";
import { describeFix, describeReject } from "./describe-reason.ts";

const G = 1024 ** 3;
const memory = (wanted: number, free: number, capacity: number): RejectReason => ({
  code: "no-room",
  resource: "memory",
  ...{ wanted: wanted * G, free: free * G, capacity: capacity * G },
});
const cpu: RejectReason = { code: "no-room", resource: "cpu", wanted: 2_000, free: 500, capacity: 4_000 };
const inZone = (value: string | null): RejectReason => ({ code: "spread", set: "web@.service", key: "zone", value });

const CASES: readonly (readonly [RejectReason, number, says: string, fix: string])[] = [
  [
    memory(2, 1.2, 4),
    1,
    "has 1.2G of memory free, of 2G asked for",
    "ask for at most 1.2G of memory (Memory=), or make room on m1",
  ],
  [
    memory(2, 1.2, 4),
    3,
    "have at most 1.2G of memory free, of 2G asked for",
    "ask for at most 1.2G of memory (Memory=), or make room on m1",
  ],
  [
    memory(16, 4, 4),
    1,
    "has 4G of memory in all, of 16G asked for",
    "ask for at most 4G of memory (Memory=), or add a larger machine",
  ],
  [
    memory(16, 4, 4),
    3,
    "the largest of them has 4G of memory in all, of 16G asked for",
    "ask for at most 4G of memory (Memory=), or add a larger machine",
  ],
  [memory(2, -1, 4), 1, "has 0 of memory free, of 2G asked for", "make room on m1"],
  [cpu, 1, "has 0.5 CPU free, of 2 asked for", "ask for at most 0.5 CPU (CPU=), or make room on m1"],
  [
    { code: "max-per-machine", set: "web@.service", limit: 2 },
    1,
    "has 2 of web@.service already (MaxPerMachine=)",
    "raise MaxPerMachine=, or add a machine",
  ],
  [
    inZone("a"),
    1,
    "another of web@.service is in zone a (Spread=)",
    'add a machine of another zone, or drop "hard" from Spread=',
  ],
  [
    inZone("a"),
    2,
    "another of web@.service is in its zone (Spread=)",
    'add a machine of another zone, or drop "hard" from Spread=',
  ],
  [inZone(null), 1, "has no zone, by which web@.service is spread (Spread=)", "give m1 a zone"],
];

for (const [reason, count, says, fix] of CASES) {
  test(`${says}, of ${count}`, () => {
    assert.equal(describeReject(reason, count), says);
    assert.equal(describeFix(reason, "m1"), fix);
  });
}
