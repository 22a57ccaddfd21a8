import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId } from "../../../test/property/generators/cluster.ts";
import type { UnitHash, UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import { massChange } from "./mass-change.ts";
import type { Change, Effect } from "./plan.ts";

const side = (goal: UnitGoal = "launched") => ({ machine: machineId(0), hash: "h" as UnitHash, goal });

function change(unit: string, effect: Effect, from: UnitGoal | null, to: UnitGoal | null): Change {
  return {
    action: to === null ? "remove" : from === null ? "add" : "change",
    effect,
    unit: unit as UnitName,
    from: from === null ? null : side(from),
    to: to === null ? null : side(to),
    reason: { code: "goal-changed" },
  };
}

const names = (count: number) => Array.from({ length: count }, (_, index) => `u${index}.service`);
const removed = (unit: string) => change(unit, "stop", "launched", null);

/** Placed before: `total` units; what becomes of the first ones is said by `changes`. */
function judged(total: number, changes: readonly Change[], left = 1) {
  const gone = new Set(changes.filter(({ to }) => to === null).map(({ unit }) => unit));
  const kept = names(total).filter((unit) => !gone.has(unit as UnitName));
  const goals = new Map(changes.map(({ unit, to }) => [unit, to?.goal]));
  const added = changes.filter(({ from }) => from === null).map(({ unit }) => unit);
  const placements = [...kept, ...added].map((unit) => ({
    ...side(goals.get(unit as UnitName) ?? "launched"),
    unit: unit as UnitName,
    reason: { code: "stayed" as const },
  }));
  return massChange({ changes, placements }, { units: Array.from({ length: left }) });
}

const CASES = [
  { says: "two of two are no mass, as long as something is left", total: 2, stops: 2, is: null },
  { says: "three of twelve are a quarter, not more", total: 12, stops: 3, is: null },
  { says: "three of eleven are more than a quarter", total: 11, stops: 3, is: "stops-many" },
  { says: "all of many", total: 100, stops: 100, is: "stops-many" },
] as const;

for (const { says, total, stops, is } of CASES) {
  test(says, () => {
    const found = judged(total, names(stops).map(removed));
    assert.equal(found?.code ?? null, is);
    if (found !== null) assert.deepEqual([found.stopped, found.of], [stops, total]);
  });
}

test("a commit without units empties the cluster, be it of one unit", () => {
  assert.deepEqual(judged(1, names(1).map(removed), 0), { code: "empties", stopped: 1, of: 1 });
});

test("an empty cluster cannot be emptied, and the first commit stops nothing", () => {
  assert.equal(judged(0, [], 0), null);
  assert.equal(judged(0, [change("new.service", "start", null, "launched")]), null);
});

test("what restarts, moves or is only loaded from now on: the last is stopped, the others are not", () => {
  const restarts = names(10).map((unit) => change(unit, "restart", "launched", "launched"));
  assert.equal(judged(10, restarts), null);
  const loads = names(10).map((unit) => change(unit, "stop", "launched", "loaded"));
  assert.equal(judged(10, loads)?.stopped, 10);
});

test("units that are new do not make those that stop fewer", () => {
  const added = Array.from({ length: 50 }, (_, index) => change(`n${index}.service`, "start", null, "launched"));
  assert.deepEqual(judged(4, [...names(3).map(removed), ...added]), { code: "stops-many", stopped: 3, of: 4 });
});
