import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ReplicaState } from "../rollout/plan-rollout.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { judgeReboots, leavingMachines, type RebootInput } from "./judge-reboots.ts";
import type { Grant, Slot } from "./lock.ts";

const HASH = "h" as UnitHash;
const [A, B, C] = ["a", "b", "c"].map((name) => name.repeat(32) as MachineId) as [MachineId, MachineId, MachineId];
const EACH = "each.service" as UnitName;

interface Case {
  readonly say: string;
  /** Where units are; web@1..3 on a, b and c where nothing is said. */
  readonly on?: Readonly<Record<string, readonly MachineId[]>>;
  readonly max?: number;
  readonly global?: readonly string[];
  readonly states?: Readonly<Record<string, ReplicaState>>;
  readonly wants: readonly MachineId[];
  readonly going?: readonly MachineId[];
  readonly granted?: readonly MachineId[];
  readonly down?: readonly string[];
  readonly slots?: number;
  readonly closed?: true;
  readonly away?: readonly MachineId[];
  readonly gone?: readonly MachineId[];
  readonly back?: readonly MachineId[];
  readonly changing?: readonly MachineId[];
  readonly unsteady?: readonly MachineId[];
  readonly unsaid?: readonly string[];
  /** What becomes of each. */
  readonly is: Readonly<Record<string, string>>;
}

const CASES: readonly Case[] = [
  { say: "one goes where the others stay within the budget", wants: [A], is: { a: "granted" } },
  { say: "the first by age goes, and others wait for it", wants: [B, A], is: { b: "granted", a: "others" } },
  {
    say: "two slots do not break a budget of one",
    wants: [A, B],
    slots: 2,
    is: { a: "granted", b: "budget web@.service" },
  },
  {
    say: "two go where the budget has room for two",
    wants: [A, B],
    slots: 2,
    max: 2,
    is: { a: "granted", b: "granted" },
  },
  { say: "nobody goes while the window is closed", wants: [A], closed: true, is: { a: "window" } },
  {
    say: "who has not gone when it closes is called back",
    wants: [A],
    granted: [A],
    closed: true,
    is: { a: "window" },
  },
  {
    say: "who goes is not called back",
    wants: [A, B],
    going: [A],
    granted: [A],
    closed: true,
    is: { a: "going", b: "window" },
  },
  {
    say: "who goes comes before who is older",
    wants: [A, B],
    going: [B],
    granted: [B],
    is: { b: "going", a: "others" },
  },
  {
    say: "one that is down elsewhere counts",
    wants: [A],
    states: { "web@2.service": "down" },
    is: { a: "budget web@.service" },
  },
  {
    say: "so does one that settles",
    wants: [A],
    states: { "web@3.service": "settling" },
    is: { a: "budget web@.service" },
  },
  {
    say: "and one nobody knows of",
    wants: [A],
    states: { "web@3.service": "unknown" },
    is: { a: "budget web@.service" },
  },
  { say: "so does a machine that is away", wants: [A], away: [C], is: { a: "budget web@.service" } },
  {
    say: "all its replicas go down together",
    wants: [A],
    on: { "web@1.service": [A], "web@2.service": [A], "web@3.service": [B] },
    is: { a: "budget web@.service" },
  },
  { say: "a single unit goes with its machine", wants: [A], on: { "db.service": [A] }, is: { a: "granted" } },
  { say: "unless its budget is none", wants: [A], on: { "db.service": [A] }, max: 0, is: { a: "budget db.service" } },
  {
    say: "a global unit's machines go one after another",
    wants: [A, B],
    slots: 2,
    on: { [EACH]: [A, B, C] },
    global: [EACH],
    is: { a: "granted", b: "budget each.service" },
  },
  {
    say: "also when the one that goes is away by then",
    wants: [A, B],
    slots: 2,
    going: [A],
    granted: [A],
    away: [A],
    on: { [EACH]: [A, B, C] },
    global: [EACH],
    is: { a: "going", b: "budget each.service" },
  },
  {
    say: "a machine that is off for another reason takes its global copy along",
    wants: [B],
    away: [A],
    on: { [EACH]: [A, B, C] },
    global: [EACH],
    is: { b: "granted" },
  },
  {
    say: "its own that failed takes nothing from anybody",
    wants: [A],
    states: { "web@1.service": "down" },
    is: { a: "granted down web@1.service" },
  },
  {
    say: "its own that comes up is waited for",
    wants: [A],
    states: { "web@1.service": "starting" },
    is: { a: "changing" },
  },
  { say: "what changes on it is waited for", wants: [A], changing: [A], is: { a: "changing" } },
  { say: "one that is away goes nowhere", wants: [A], away: [A], is: { a: "machine-absent" } },
  { say: "one that is no member has no slot", wants: [A], gone: [A], is: { a: "over no-member" } },
  { say: "what would be well must be so for a while", wants: [A], unsteady: [A], is: { a: "steady" } },
  {
    say: "a grant that is not used is judged anew",
    wants: [A],
    granted: [A],
    states: { "web@2.service": "down" },
    is: { a: "budget web@.service" },
  },
  {
    say: "who is back and well gives its slot to the next",
    wants: [A, B],
    going: [A],
    granted: [A],
    back: [A],
    is: { a: "over returned", b: "granted" },
  },
  {
    say: "who is back and not well keeps it",
    wants: [A, B],
    going: [A],
    granted: [A],
    back: [A],
    states: { "web@1.service": "starting" },
    is: { a: "not-healthy web@1.service", b: "others" },
  },
  {
    say: "what was said before the restart says nothing",
    wants: [A],
    going: [A],
    granted: [A],
    back: [A],
    unsaid: ["web@1.service"],
    is: { a: "not-healthy web@1.service" },
  },
  {
    say: "what was down before need not be up after",
    wants: [A],
    going: [A],
    granted: [A],
    back: [A],
    down: ["web@1.service"],
    states: { "web@1.service": "down" },
    is: { a: "over returned" },
  },
  {
    say: "who is back must be well for a while",
    wants: [A],
    going: [A],
    granted: [A],
    back: [A],
    unsteady: [A],
    is: { a: "not-healthy" },
  },
  {
    say: "who restarted without being asked gives its slot back as well",
    wants: [A, B],
    back: [A],
    is: { a: "over returned", b: "granted" },
  },
];

for (const one of CASES) test(one.say, () => assert.deepEqual(judged(one), one.is));

test("machines with a grant for the slot they have are leaving, and no others", () => {
  const grants = [grant(A, "slot-a"), grant(B, "another")];
  assert.deepEqual([...leavingMachines([slotOf(A, 0, {} as Case), slotOf(B, 1, {} as Case)], grants)], [A]);
});

function slotOf(machine: MachineId, at: number, { going = [] }: Pick<Case, "going">): Slot & { machine: MachineId } {
  const id = `slot-${machine[0]}`;
  return {
    ...{ machine, holder: machine, by: "", reason: "", since: `${at}`, deadline: "", forMs: 1, slots: 1, id, op: "" },
    ...{ boot: "before", modRevision: 10 },
    ...(going.includes(machine) ? { going: true } : {}),
  };
}

function grant(machine: MachineId, slot: string, down: readonly string[] = []): Grant {
  return { machine, slot, at: "", down, modRevision: 1 };
}

function inputOf(one: Case): RebootInput {
  const on = one.on ?? { "web@1.service": [A], "web@2.service": [B], "web@3.service": [C] };
  const names = Object.keys(on) as UnitName[];
  const sides = (unit: string): PlacedSide[] => on[unit]!.map((machine) => ({ machine, hash: HASH, goal: "launched" }));
  const units = names.map((name) => ({
    ...{ name, goal: "launched", options: { global: one.global?.includes(name) === true } },
    rollout: { maxUnavailable: one.max ?? 1 },
  }));
  const members = [A, B, C].filter((machine) => one.gone?.includes(machine) !== true);
  const present = members.filter((machine) => one.away?.includes(machine) !== true);
  return {
    policy: { slots: one.slots ?? 1 },
    isWindowOpen: one.closed !== true,
    slots: one.wants.map((machine, at) => slotOf(machine, at, one)),
    grants: (one.granted ?? []).map((machine) => grant(machine, `slot-${machine[0]}`, one.down)),
    boots: new Map(present.map((machine) => [machine, one.back?.includes(machine) ? "after" : "before"])),
    members: new Set(members),
    changing: new Set(one.changing ?? []),
    replicas: {
      spec: { units } as unknown as ClusterSpec,
      released: null,
      before: new Map(names.map((unit) => [unit, sides(unit)])),
      after: names.flatMap((unit) => sides(unit).map((side) => ({ unit, ...side, reason: { code: "stayed" } }))),
      changes: [],
      isAway: (machine) => !present.includes(machine),
      stateOf: (unit) => one.states?.[unit] ?? "up",
    },
    isSaidSince: (unit, _, revision) => revision === 10 && one.unsaid?.includes(unit) !== true,
    isSteady: (machine) => one.unsteady?.includes(machine) !== true,
  };
}

function judged(one: Case): Record<string, string> {
  const { granted, over, states } = judgeReboots(inputOf(one));
  const answer: Record<string, string> = {};
  for (const { machine, because } of over) answer[machine[0]!] = `over ${because}`;
  for (const { machine, wait } of states) {
    const more = wait.code === "budget" ? wait.sets : wait.code === "not-healthy" ? wait.units : [];
    const down = wait.code === "granted" ? granted.find((other) => other.machine === machine)!.down : [];
    answer[machine[0]!] = [wait.code, ...more, ...(down.length > 0 ? ["down", ...down] : [])].join(" ");
  }
  for (const { machine } of granted) {
    const state = answer[machine[0]!]!;
    assert.ok(/^(granted|going|not-healthy)/.test(state), `${state} has a grant`);
  }
  return answer;
}
