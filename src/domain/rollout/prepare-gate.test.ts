import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf } from "../../../test/property/generators/cluster.ts";
import type { ClusterIdentity, Member, Release } from "../cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../cluster/empty-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import { nextWave } from "./next-wave.ts";
import type { RolloutChange } from "./plan-rollout.ts";
import { prepareGate } from "./prepare-gate.ts";

const WEB = "web.service" as UnitName;
const [A, B] = [machineId(0), machineId(1)];
const [OLD, NEW] = ["o", "n"] as UnitHash[] as [UnitHash, UnitHash];
const SEQ = 7;
const at = (machine: MachineId, hash: UnitHash): PlacedSide => ({ machine, hash, goal: "launched" });

interface Case {
  readonly from: PlacedSide | null;
  readonly to: PlacedSide | null;
  /** What the agents of A and B say; both are ready where nothing is said. */
  readonly a?: Partial<Member>;
  readonly b?: Partial<Member>;
  readonly presence?: Readonly<Record<string, Machine["presence"]>>;
  readonly epoch?: number;
  readonly waitsFor: MachineId | null;
}

const BEHIND = { acceptedSeq: SEQ - 1 };
const CHANGED = { from: at(A, OLD), to: at(A, NEW) };
const MOVED = { from: at(A, OLD), to: at(B, OLD) };

const CASES: Readonly<Record<string, Case>> = {
  "another version goes to a machine that has taken the release": { ...CHANGED, waitsFor: null },
  "and waits for one that has not": { ...CHANGED, a: BEHIND, waitsFor: A },
  "a machine that is ahead is ready": { ...CHANGED, a: { acceptedSeq: SEQ + 1 }, waitsFor: null },
  "what another machine has not taken is no matter": { ...CHANGED, b: BEHIND, waitsFor: null },
  "an agent that prepares what it has taken is not ready": { ...CHANGED, a: { readySeq: SEQ - 1 }, waitsFor: A },
  "and is once it says so": { ...CHANGED, a: { readySeq: SEQ }, waitsFor: null },
  "numbers of an earlier epoch say nothing of this one": { ...CHANGED, epoch: 2, waitsFor: A },
  "numbers of this epoch do": { ...CHANGED, epoch: 2, a: { acceptedEpoch: 2 }, waitsFor: null },
  "another goal in the same version takes nothing but itself down": {
    from: at(A, OLD),
    to: { ...at(A, OLD), goal: "loaded" },
    a: BEHIND,
    waitsFor: null,
  },
  "what is new is started as soon as its agent can": { from: null, to: at(A, NEW), a: BEHIND, waitsFor: null },
  "what goes waits for nobody": { from: at(A, OLD), to: null, a: BEHIND, waitsFor: null },
  "a machine that is away is told what it is to run": {
    ...CHANGED,
    a: BEHIND,
    presence: { [A]: "absent" },
    waitsFor: null,
  },
  "a move waits for where it goes": { ...MOVED, b: BEHIND, waitsFor: B },
  "and not for where it comes from": { ...MOVED, a: BEHIND, waitsFor: null },
  "what a lost machine had waits for nobody": { ...MOVED, b: BEHIND, presence: { [A]: "lost" }, waitsFor: null },
};

for (const [says, { from, to, a, b, presence = {}, epoch = 1, waitsFor }] of Object.entries(CASES)) {
  test(says, () => {
    const machines = [A, B].map((id) => ({ id, presence: presence[id] ?? "present" }) as Machine);
    const members = [{ id: A, acceptedSeq: SEQ, ...a } as Member, { id: B, acceptedSeq: SEQ, ...b } as Member];
    const snapshot = {
      ...emptySnapshot,
      identity: { epoch } as ClusterIdentity,
      release: { seq: SEQ } as Release,
      members,
    };
    const effect = from === null ? "start" : to === null ? "stop" : from.machine === to.machine ? "restart" : "move";
    const change: RolloutChange = { unit: WEB, effect, from, to, reason: { code: "goal-changed" } };
    const gate = prepareGate({ snapshot, machines });
    assert.equal(gate([change]), waitsFor);
    const spec = specOf([
      {
        ...{ name: WEB, group: 0, global: false, goal: "launched", machineId: null, machineMetadata: [] },
        ...{ conflicts: [], replaces: [], move: "auto", text: "" },
      },
    ]);
    const after = to === null ? [] : [{ unit: WEB, ...to, reason: { code: "only-fit" } } satisfies Placement];
    const before = new Map(from === null ? [] : [[WEB, [from]]]);
    const isAway = (id: MachineId) => presence[id] !== undefined;
    const input = { spec, released: null, before, after, changes: [change], isAway, stateOf: () => "up" as const };
    // Where it moves, its machine would have to let it go as well.
    const { placements, unprepared } = nextWave(input, ([one]) => one?.effect === "move", gate);
    assert.deepEqual(
      unprepared.map(({ machine }) => machine),
      waitsFor === null ? [] : [waitsFor],
    );
    if (waitsFor !== null) {
      assert.deepEqual(placements, [{ unit: WEB, ...from, reason: { code: "stayed" } }], "it runs on where it is");
    }
  });
}
