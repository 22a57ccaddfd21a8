import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../cluster/machine.ts";
import type { GroupName, MachineId, UnitName } from "../names.ts";
import type { ClusterSpec, Group, ReplacePolicy, SpecUnit } from "../spec/cluster-spec.ts";
import { lossThresholds } from "./damping.ts";
import type { LossVerdict, MachineVerdict } from "./loss-verdict.ts";
import { sightingsOf } from "./sighting.ts";
import { withLosses } from "./with-losses.ts";

interface Given {
  readonly replace?: ReplacePolicy;
  readonly group?: string;
  readonly move?: "never";
  readonly global?: true;
}

/** Thirty seconds of lease and sixty of grace. All units are on one machine. */
const CASES: readonly (readonly [says: string, units: readonly Given[], stakes: readonly (readonly number[])[]])[] = [
  ["nothing there, nothing at stake", [], []],
  ["units move after the cluster's grace", [{}, {}], [[60_000, 2]]],
  ["what stays with its data does not", [{ move: "never" }], []],
  ["what waits for its machine does not", [{ replace: "no" }], []],
  ["what is on every machine does not", [{ global: true }], []],
  [
    "a unit may have a grace of its own",
    [{ replace: { afterMs: 600_000 } }, {}],
    [
      [60_000, 1],
      [600_000, 1],
    ],
  ],
  ["a shorter one, too, but not below that of machines that go together", [{ replace: { afterMs: 0 } }], [[10_500, 1]]],
  [
    "a group waits as long as the most patient of its units",
    [{ group: "g", replace: { afterMs: 600_000 } }, { group: "g" }],
    [[600_000, 2]],
  ],
  [
    "one with no grace of its own has the cluster's also there",
    [{ group: "g", replace: { afterMs: 15_000 } }, { group: "g" }],
    [[60_000, 2]],
  ],
  ["one that waits for its machine keeps the others with it", [{ group: "g", replace: "no" }, { group: "g" }], []],
];

for (const [says, units, stakes] of CASES) {
  test(says, () => {
    const spec = specOf(units);
    const placed = new Map(spec.units.map(({ name }) => [name, ["m1" as MachineId]]));
    const thresholds = lossThresholds({ agentTtlMs: 30_000, graceMs: 60_000 });
    const seen = sightingsOf(spec, [machine("m2"), machine("m1")], placed, thresholds);
    assert.deepEqual(
      seen.machines.map((one) => one.machine),
      ["m1", "m2"],
    );
    assert.deepEqual(
      [...seen.machines[0]!.stakes].sort(([a], [b]) => a - b),
      stakes,
    );
    assert.equal(seen.machines[1]!.stakes.size, 0);
    assert.equal(seen.units, units.filter(({ global }) => global !== true).length);
  });
}

test("a unit that is placed nowhere is at stake nowhere", () => {
  const seen = sightingsOf(specOf([{}]), [machine("m1")], new Map(), lossThresholds({ agentTtlMs: 1, graceMs: 1 }));
  assert.deepEqual([seen.units, seen.machines[0]!.stakes.size], [0, 0]);
});

test("machines under a verdict are lost, closed to what is new, or as they were", () => {
  const machines = ["m1", "m2", "m3", "m4"].map(machine);
  const none: MachineVerdict = { presence: "present", absentSinceMs: null, waits: null, graces: null, flapping: null };
  const graces = { cluster: true, ownMs: 60_000 };
  const flapping = { losses: 3, untilMs: 1, cordons: true };
  const verdict = {
    machines: new Map<MachineId, MachineVerdict>([
      ["m1" as MachineId, { ...none, presence: "lost", graces }],
      ["m2" as MachineId, { ...none, flapping }],
      ["m3" as MachineId, { ...none, flapping: { ...flapping, cordons: false } }],
    ]),
  } as unknown as LossVerdict;
  assert.deepEqual(withLosses(machines, verdict), [
    { ...machines[0], presence: "lost", graces },
    { ...machines[1], flapping: true },
    machines[2],
    machines[3],
  ]);
});

function machine(id: string): Machine {
  return { id, name: id, presence: "present", drain: false } as Machine;
}

function specOf(given: readonly Given[]): ClusterSpec {
  const units = given.map((one, index) => ({
    name: `u${index}.service` as UnitName,
    group: (one.group ?? `u${index}`) as GroupName,
    goal: "launched",
    options: { global: one.global === true },
    ...(one.replace === undefined ? {} : { replace: one.replace }),
  })) as unknown as SpecUnit[];
  const names = [...new Set(units.map(({ group }) => group))];
  const groups = names.map((name) => {
    const first = given[units.findIndex(({ group }) => group === name)]!;
    return { name, move: first.move ?? "auto", global: first.global === true } as Group;
  });
  return { units, groups } as unknown as ClusterSpec;
}
