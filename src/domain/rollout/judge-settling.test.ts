import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf } from "../../../test/property/generators/cluster.ts";
import type { UnitHash, UnitName } from "../names.ts";
import { judgeSettling, type Settling, settledAtMs } from "./judge-settling.ts";
import type { ReplicaState } from "./plan-rollout.ts";

const WEB = "web.service" as UnitName;
const HASH = "n" as UnitHash;
const HEALTHY_MS = 5_000;
const CHANGED: Settling = { unit: WEB, machine: machineId(0), hash: HASH, upSinceMs: null };

/** What is seen of it, each at a time in seconds: a state and the run it is in. */
type Look = readonly [seconds: number, state: ReplicaState, run: string];

interface Case {
  readonly text?: string;
  readonly looks: readonly Look[];
  /** What it counts as at each look. */
  readonly counts: readonly ReplicaState[];
}

const CASES: Readonly<Record<string, Case>> = {
  "it is up for its time, in one run": {
    looks: [
      [0, "starting", ""],
      [1, "up", "a"],
      [5, "up", "a"],
      [6, "up", "a"],
    ],
    counts: ["starting", "settling", "settling", "up"],
  },
  "it goes down between and begins anew": {
    looks: [
      [0, "up", "a"],
      [3, "down", "a"],
      [4, "up", "b"],
      [8, "up", "b"],
      [9, "up", "b"],
    ],
    counts: ["settling", "down", "settling", "settling", "up"],
  },
  "it is up at each look, and was started again between two": {
    looks: [
      [0, "up", "a"],
      [4, "up", "b"],
      [8, "up", "b"],
      [9, "up", "b"],
    ],
    counts: ["settling", "settling", "settling", "up"],
  },
  "it is started again just when its time would be over": {
    looks: [
      [0, "up", "a"],
      [5, "up", "b"],
      [10, "up", "b"],
    ],
    counts: ["settling", "settling", "up"],
  },
  "one that is started again and again never counts as up": {
    looks: [
      [0, "up", "a"],
      [3, "up", "b"],
      [6, "up", "c"],
      [9, "up", "d"],
    ],
    counts: ["settling", "settling", "settling", "settling"],
  },
  "a oneshot is as it should be at once": {
    text: "[Service]\nType=oneshot\n",
    looks: [[0, "up", "a"]],
    counts: ["up"],
  },
};

/** One unit of that text, which has to stay up for `HEALTHY_MS`. */
function commitOf(text: string) {
  const sketch = { name: WEB, group: 0, global: false, goal: "launched" as const, machineId: null };
  const made = specOf([{ ...sketch, machineMetadata: [], conflicts: [], replaces: [], move: "auto", text: "" }]);
  const units = made.units.map((unit) => ({
    ...unit,
    fragment: { path: WEB, text },
    rollout: { ...unit.rollout, minHealthyTimeMs: HEALTHY_MS },
  }));
  return { ...made, units };
}

for (const [says, { text = "[Service]\nExecStart=/bin/x\n", looks, counts }] of Object.entries(CASES)) {
  test(says, () => {
    const spec = commitOf(text);
    const side = { machine: CHANGED.machine, hash: HASH, goal: "launched" as const };
    const before = new Map([[WEB, [side]]]);
    let settling: readonly Settling[] = [CHANGED];
    const counted = looks.map(([seconds, state, run]) => {
      const world = { spec, before, isAway: () => false, stateOf: () => state, invocationOf: () => run };
      const judged = judgeSettling(settling, world, seconds * 1_000);
      settling = judged.settling;
      return judged.stateOf(WEB, CHANGED.machine);
    });
    assert.deepEqual(counted, counts);
  });
}

interface Due {
  readonly upSince: readonly (number | null)[];
  readonly first: number;
  readonly all: number;
}

const NEVER = Number.POSITIVE_INFINITY;

const DUE: Readonly<Record<string, Due>> = {
  "nothing settles": { upSince: [], first: NEVER, all: NEVER },
  "what is not up has no time of its own": { upSince: [1_000, null], first: 1_000 + HEALTHY_MS, all: NEVER },
  "of several": { upSince: [3_000, 1_000], first: 1_000 + HEALTHY_MS, all: 3_000 + HEALTHY_MS },
};

for (const [says, { upSince, first, all }] of Object.entries(DUE)) {
  test(`when to look again: ${says}`, () => {
    const settling = upSince.map((upSinceMs) => ({ ...CHANGED, upSinceMs }));
    const spec = commitOf("[Service]\nExecStart=/bin/x\n");
    assert.deepEqual([settledAtMs(settling, spec, "first"), settledAtMs(settling, spec, "all")], [first, all]);
  });
}
