import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import type { Assignment, UnitStatus } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import { handOffs } from "./hand-off.ts";
import { nextWave } from "./next-wave.ts";
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
  /** Of A: present where it does not say. */
  readonly presence?: "absent" | "lost";
  /** db.service is one that runs at most once. */
  readonly single?: true;
  readonly isNew?: true;
  readonly goal?: "launched" | "loaded";
  /** Where db.service is placed now, and its goal. */
  readonly goes: string;
}

const STAYS = "o on A, inactive";
const GOES = "n on B, launched";

const CASES: Readonly<Record<string, Case>> = {
  "it runs: its machine is told to stop it": { says: { active: "active" }, goes: STAYS },
  "nothing is known of it: it may run": { says: null, goes: STAYS },
  "it is down, and its machine has not heard that it must be": { says: { active: "inactive" }, goes: STAYS },
  "it was down under an earlier order": { says: { ...DOWN, placed: TOLD_AT - 1 }, goes: STAYS },
  "it is down and may start at any time": { says: DOWN, goal: "launched", goes: STAYS },
  "it is down, and its socket may start it at any time": { says: DOWN, goal: "loaded", goes: STAYS },
  "it is still stopping": { says: { ...DOWN, active: "deactivating" }, goes: STAYS },
  "it is down as it was told": { says: DOWN, goes: GOES },
  "it needed SIGKILL, and is down": { says: { ...DOWN, active: "failed" }, goes: GOES },
  "what runs under its name is somebody else's, and stays": {
    says: { ...DOWN, active: "active", problem: { code: "conflict", detail: "", journal: [] } },
    goes: GOES,
  },
  "its machine is silent, and it may run on there": { says: { active: "active" }, presence: "absent", goes: STAYS },
  "its machine is silent, and it was down before": { says: DOWN, presence: "absent", goes: STAYS },
  "its machine is lost": { says: { active: "active" }, presence: "lost", goes: GOES },
  "of one that runs at most once the lease is gone with its machine": {
    says: { active: "active" },
    presence: "absent",
    single: true,
    goes: GOES,
  },
  "one that runs at most once waits like any other": { says: { active: "active" }, single: true, goes: STAYS },
  "one that runs at most once and was taken from there a moment ago is still stopping": {
    says: { active: "deactivating" },
    isNew: true,
    single: true,
    goes: "nowhere",
  },
  "taken from there and gone": { says: null, isNew: true, single: true, goes: GOES },
  "what is kept and is new waits for nobody": { says: { active: "deactivating" }, isNew: true, goes: GOES },
};

for (const [sentence, { says, presence, single, isNew, goal, goes }] of Object.entries(CASES)) {
  test(sentence, () => {
    const bare = specOf([DB, WEB].map(sketch));
    const units = bare.units.map((unit) => (unit.name === DB && single ? { ...unit, stopAfterMs: 20_000 } : unit));
    const from = isNew === undefined ? { machine: A, hash: OLD, goal: goal ?? ("inactive" as const) } : null;
    const to = { machine: B, hash: NEW, goal: "launched" as const };
    const changes = [DB, WEB].map(
      (unit): RolloutChange => ({
        unit,
        effect: isNew ? "start" : "move",
        from,
        to,
        reason: { code: "goal-changed" },
      }),
    );
    const after = [DB, WEB].map((unit): Placement => ({ unit, ...to, reason: { code: "only-fit" } }));
    const statusOf = (unit: UnitName, said: Partial<UnitStatus>) => ({ unit, machine: A, ...said }) as UnitStatus;
    const snapshot = {
      ...emptySnapshot,
      assignments: [DB, WEB].flatMap((unit): Assignment[] =>
        from === null ? [] : [{ unit, ...from, reason: "", modRevision: TOLD_AT }],
      ),
      statuses: [...(says === null ? [] : [statusOf(DB, says)]), ...(isNew === undefined ? [statusOf(WEB, DOWN)] : [])],
    };
    const machines = [A, B].map((id): Machine => machine(id, id === A ? (presence ?? "present") : "present"));
    const spec = { ...bare, units };
    const input = {
      spec,
      released: null,
      before: new Map(from === null ? [] : [DB, WEB].map((unit) => [unit, [from]])),
      after,
      changes,
      isAway: (id: MachineId) => id === A && presence !== undefined,
      stateOf: () => "up" as const,
    };
    const next = nextWave(input, handOffs({ spec, snapshot, machines }));
    const shown = (unit: UnitName) => {
      const placed = next.placements.find((one) => one.unit === unit);
      if (placed === undefined) return "nowhere";
      return `${placed.hash} on ${placed.machine === A ? "A" : "B"}, ${placed.goal}`;
    };
    assert.equal(shown(DB), goes);
    assert.equal(shown(WEB), goes, "its group goes with it");
    assert.deepEqual([next.made.length, next.held.length], goes === GOES ? [2, 0] : [0, 2]);
  });
}

function machine(id: MachineId, presence: Machine["presence"]): Machine {
  return {
    id,
    name: id,
    address: "",
    metadata: {},
    drain: false,
    cordon: false,
    presence,
    presenceRevision: 1,
    admitted: true,
  };
}
