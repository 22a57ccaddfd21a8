import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId } from "../names.ts";
import { DEFAULT_DAMPING, type LossThresholds } from "./damping.ts";
import { countFlaps, flappingNow } from "./flapping.ts";
import type { Flaps } from "./loss-history.ts";

const THRESHOLDS: LossThresholds = { agentTtlMs: 30_000, graceMs: 60_000, ...DEFAULT_DAMPING };
const MINUTE = 60_000;

const CASES: readonly {
  readonly says: string;
  /** Minutes in which the machine was back after it had been missed. */
  readonly back: readonly number[];
  readonly at: number;
  /** Until which minute it is held. */
  readonly until: number | null;
}[] = [
  { says: "twice within an hour is a reboot and its second try", back: [0, 10], at: 10, until: null },
  { says: "a third time is a fault", back: [0, 10, 59.999], at: 59.999, until: 69.999 },
  { says: "a third time after an hour is none", back: [0, 10, 60], at: 60, until: null },
  { says: "the hold ends by itself", back: [0, 1, 2], at: 12, until: null },
  { says: "and not before", back: [0, 1, 2], at: 11.999, until: 12 },
  { says: "the fourth time it is twice as long", back: [0, 1, 2, 20], at: 20, until: 40 },
  { says: "the sixth time eight times", back: [0, 1, 2, 20, 41, 42], at: 42, until: 122 },
  { says: "never longer than four hours", back: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9], at: 9, until: 249 },
  { says: "one that was well for an hour after its hold is as new", back: [0, 1, 2, 72], at: 72, until: null },
  { says: "one that was not has the doubled hold", back: [0, 1, 2, 71.999], at: 71.999, until: 91.999 },
];

for (const { says, back, at, until } of CASES) {
  test(says, () => {
    let known: ReadonlyMap<MachineId, Flaps> = new Map();
    for (const minute of back) known = countFlaps(known, ["m" as MachineId], minute * MINUTE, THRESHOLDS);
    known = countFlaps(known, [], at * MINUTE, THRESHOLDS);
    const flapping = flappingNow(known, 10, at * MINUTE, THRESHOLDS).get("m" as MachineId);
    assert.equal(flapping === undefined ? null : flapping.untilMs / MINUTE, until);
  });
}

const MANY: readonly (readonly [says: string, flapping: number, of: number, cordons: boolean])[] = [
  ["one of three that flaps is kept out", 1, 3, true],
  ["two of three are not: the cause is not theirs", 2, 3, false],
  ["two of seven are", 2, 7, true],
  ["three of ten are not", 3, 10, false],
];

for (const [says, count, of, cordons] of MANY) {
  test(says, () => {
    const machines = Array.from({ length: count }, (_, index) => `m${index}` as MachineId);
    let known: ReadonlyMap<MachineId, Flaps> = new Map();
    for (const nowMs of [0, 1, 2]) known = countFlaps(known, machines, nowMs, THRESHOLDS);
    const flapping = flappingNow(known, of, 3, THRESHOLDS);
    assert.deepEqual([...flapping.keys()], machines);
    for (const one of flapping.values()) assert.equal(one.cordons, cordons);
  });
}

test("nothing is remembered of a machine that is well for long enough", () => {
  const known = countFlaps(new Map(), ["m" as MachineId], 0, THRESHOLDS);
  assert.equal(countFlaps(known, [], 60 * MINUTE - 1, THRESHOLDS).size, 1);
  assert.equal(countFlaps(known, [], 60 * MINUTE, THRESHOLDS).size, 0);
});
