import assert from "node:assert/strict";
import { test } from "node:test";
import type { Ring } from "../spec/cluster-spec.ts";
import { dueIn } from "./due-in.ts";
import type { RolloutRecord } from "./rollout-record.ts";

const RINGS = [{ soakMs: 60_000 }, { soakMs: 0 }] as unknown as readonly Ring[];
const WEB = { set: "web@.service", ms: 2_000 };
const DB = { set: "db.service", ms: 500 };
const baked = (set: { readonly set: string }, healthyForMs: number) => ({ set: set.set, healthyForMs });

interface Case {
  readonly record?: Partial<RolloutRecord>;
  readonly baking?: readonly { readonly set: string; readonly ms: number }[];
  readonly due: number;
}

const CASES: Readonly<Record<string, Case>> = {
  "nothing is due where nothing has begun": { baking: [WEB], due: Number.POSITIVE_INFINITY },
  "a soak that has begun": { record: { soakedMs: 1 }, due: 59_999 },
  "not one that waits for its window only": { record: { soakedMs: 60_000 }, due: Number.POSITIVE_INFINITY },
  "not where the last ring is open": { record: { soakedMs: 1, openRings: 3 }, due: Number.POSITIVE_INFINITY },
  "the first of two bakes, counted from now": {
    record: { bakes: [baked(DB, 0), baked(WEB, 1_600)] },
    baking: [DB, WEB],
    due: 400,
  },
  "the bake before the soak": { record: { soakedMs: 1, bakes: [baked(WEB, 0)] }, baking: [WEB], due: 2_000 },
  "not of a set for which nobody waits any more": {
    record: { bakes: [baked(DB, 100)] },
    due: Number.POSITIVE_INFINITY,
  },
};

for (const [sentence, { record, baking = [], due }] of Object.entries(CASES)) {
  test(sentence, () => {
    assert.equal(dueIn({ openRings: 1, soakedMs: 0, bakes: [], ...record }, { rings: RINGS }, baking), due);
  });
}
