import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { Assignment, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { UnitHash, UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import { handOff } from "./hand-off.ts";
import type { RolloutChange } from "./plan-rollout.ts";

const [DB, WEB] = ["db.service", "web.service"] as UnitName[] as [UnitName, UnitName];
const [A, B] = [machineId(0), machineId(1)];
const TOLD_AT = 7;
const [OLD, NEW] = ["o", "n"] as UnitHash[] as [UnitHash, UnitHash];

const sketch = (name: UnitName): UnitSketch => ({
  name,
  group: 0,
  global: false,
  goal: "launched",
  machineId: null,
  machineMetadata: [],
  conflicts: [],
  replaces: [],
  move: "auto",
  text: name,
});

const DOWN = { active: "inactive", placed: TOLD_AT };

interface Case {
  /** What A says of db.service, which is assigned to it at revision 7; null: nothing. */
  readonly says: Partial<UnitStatus> | null;
  readonly isAway?: true;
  readonly kept?: true;
  readonly isNew?: true;
  readonly isLaunched?: true;
  /** Where db.service is placed now, and its goal. */
  readonly goes: string;
}

const CASES: Readonly<Record<string, Case>> = {
  "it runs: its machine is told to stop it": { says: { active: "active" }, goes: "o on A, loaded" },
  "nothing is known of it: it may run": { says: null, goes: "o on A, loaded" },
  "it is down, and its machine has not heard that it must be": { says: { active: "inactive" }, goes: "o on A, loaded" },
  "it was down under an earlier order": { says: { ...DOWN, placed: TOLD_AT - 1 }, goes: "o on A, loaded" },
  "it is down and may start at any time": { says: DOWN, isLaunched: true, goes: "o on A, loaded" },
  "it is still stopping": { says: { ...DOWN, active: "deactivating" }, goes: "o on A, loaded" },
  "it is down as it was told": { says: DOWN, goes: "n on B, launched" },
  "it needed SIGKILL, and is down": { says: { ...DOWN, active: "failed" }, goes: "n on B, launched" },
  "its machine is away, and so is its lease": { says: { active: "active" }, isAway: true, goes: "n on B, launched" },
  "a unit that is kept moves at once": { says: { active: "active" }, kept: true, goes: "n on B, launched" },
  "taken from there a moment ago it is still stopping": {
    says: { active: "deactivating" },
    isNew: true,
    goes: "nowhere",
  },
  "taken from there and gone": { says: null, isNew: true, goes: "n on B, launched" },
};

for (const [sentence, { says, isAway, kept, isNew, isLaunched, goes }] of Object.entries(CASES)) {
  test(sentence, () => {
    const bare = specOf([DB, WEB].map(sketch));
    const units = bare.units.map((unit) =>
      unit.name === DB && kept === undefined ? { ...unit, stopAfterMs: 20_000 } : unit,
    );
    const from = isNew === undefined ? { machine: A, hash: OLD, goal: "launched" as const } : null;
    const to = { machine: B, hash: NEW, goal: "launched" as const };
    const made = [DB, WEB].map(
      (unit): RolloutChange => ({ unit, effect: "move", from, to, reason: { code: "goal-changed" } }),
    );
    const placements = [DB, WEB].map((unit): Placement => ({ unit, ...to, reason: { code: "only-fit" } }));
    const assignments = [DB, WEB].map(
      (unit): Assignment => ({
        unit,
        machine: A,
        hash: OLD,
        goal: isLaunched ? "launched" : "loaded",
        reason: "",
        modRevision: TOLD_AT,
      }),
    );
    const statusOf = (unit: UnitName, said: Partial<UnitStatus>) => ({ unit, machine: A, ...said }) as UnitStatus;
    const statuses = says === null ? [] : [statusOf(DB, says)];
    const snapshot = {
      ...emptySnapshot,
      assignments: isNew === undefined ? assignments : [],
      statuses: [...statuses, ...(isNew === undefined ? [statusOf(WEB, DOWN)] : [])],
    };
    const wave = { placements, made, held: [] };
    const next = handOff(wave, { spec: { ...bare, units }, snapshot, isAway: () => isAway === true });
    const shown = (unit: UnitName) => {
      const placed = next.placements.find((one) => one.unit === unit);
      if (placed === undefined) return "nowhere";
      return `${placed.hash} on ${placed.machine === A ? "A" : "B"}, ${placed.goal}`;
    };
    assert.equal(shown(DB), goes);
    assert.equal(shown(WEB), goes, "its group goes with it");
    assert.deepEqual([next.made.length, next.held.length], goes.startsWith("n on B") ? [2, 0] : [0, 2]);
  });
}
