import assert from "node:assert/strict";
import { test } from "node:test";
import { leastGraceMs, lossThresholds } from "./damping.ts";
import { lossContradictions, lossPolicy } from "./loss-policy.ts";

const at = { path: "fleet.yaml", line: 3, column: 1 };

test("what is not said, or said as it is anyway, is not in the spec", () => {
  assert.deepEqual(lossPolicy({ values: {}, at: null }), { agentTtlMs: 30_000, graceMs: 60_000 });
  assert.deepEqual(lossPolicy({ values: { outageAtPercent: 30, outageMin: 3, flapAt: 3 }, at }), {
    agentTtlMs: 30_000,
    graceMs: 60_000,
    outageMin: 3,
  });
});

test("a grace shorter than machines that go together are missed apart is taken for that long", () => {
  const grace = (graceMs: number) => lossThresholds({ agentTtlMs: 30_000, graceMs }).graceMs;
  assert.equal(leastGraceMs(30_000), 10_500);
  assert.deepEqual([grace(0), grace(10_499), grace(10_500), grace(60_000)], [10_500, 10_500, 10_500, 60_000]);
});

const CASES: readonly (readonly [says: string, values: Parameters<typeof lossPolicy>[0]["values"], codes: string[]])[] =
  [
    ["the defaults go together", {}, []],
    ["a grace of 10.5 s is long enough for leases of 30 s", { graceMs: 10_500 }, []],
    ["a shorter one is not", { graceMs: 10_499 }, ["loss-grace-short warning"]],
    ["a shorter lease makes it long enough", { graceMs: 10_000, agentTtlMs: 28_500 }, []],
    ["a window must hold machines that go together", { outageWindowMs: 10_500 }, []],
    ["a shorter one does not", { outageWindowMs: 10_499 }, ["loss-contradiction error"]],
    ["a hold may not grow", { flapHoldMs: 600_000, flapHoldMaxMs: 600_000 }, []],
    ["and may not shrink", { flapHoldMs: 600_000, flapHoldMaxMs: 599_999 }, ["loss-contradiction error"]],
    ["also against a default", { flapHoldMaxMs: 599_999 }, ["loss-contradiction error"]],
  ];

for (const [says, values, codes] of CASES) {
  test(says, () => {
    const found = lossContradictions({ values, at });
    assert.deepEqual(
      found.map(({ code, severity }) => `${code} ${severity}`),
      codes,
    );
    for (const one of found) assert.deepEqual(one.at, at);
  });
}
