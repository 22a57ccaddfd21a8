import assert from "node:assert/strict";
import { test } from "node:test";
import type { GroupName, MachineId, SpecHash, UnitHash, UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { Effect } from "../plan/plan.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { planRollout, type RolloutChange } from "./plan-rollout.ts";

/** A unit in a line: where it was and will be, and what of it matters to waves. */
interface Line {
  readonly unit: string;
  readonly is?: Effect;
  /** Machines it is on before and after; the same unless said otherwise. */
  readonly on?: readonly string[];
  readonly to?: readonly string[];
  readonly after?: readonly string[];
  readonly group?: string;
  readonly max?: number;
  readonly global?: true;
  readonly conflicts?: readonly string[];
  /** Not in the new commit. */
  readonly gone?: true;
  /** systemd restarts it with that unit. */
  readonly with?: string;
  /** Only that, and nothing of its own. */
  readonly same?: true;
}

interface Case {
  readonly lines: readonly Line[];
  readonly away?: readonly string[];
  readonly down?: readonly string[];
  /** Whether the commit before is known; it had the same units. */
  readonly known?: true;
  /** A wave in a line: `unit@machine …`, then its budgets. */
  readonly waves: readonly string[];
  readonly refused?: readonly string[];
}

const web = (number: number, more: Omit<Line, "unit"> = {}): Line => ({
  unit: `web@${number}.service`,
  is: "restart",
  on: [`m${number}`],
  ...more,
});

const CASES: Readonly<Record<string, Case>> = {
  "nothing changes, nothing happens": { lines: [{ unit: "a.service", on: ["m1"] }], waves: [] },
  "a plain unit restarts at once: one of one may be down": {
    lines: [{ unit: "a.service", is: "restart", on: ["m1"] }],
    waves: ["a.service@m1 | a.service 0/1 min 0"],
  },
  "three instances restart one after another": {
    lines: [web(1), web(2), web(3)],
    waves: [
      "web@1.service@m1 | web@.service 2/3 min 2",
      "web@2.service@m2 | web@.service 2/3 min 2",
      "web@3.service@m3 | web@.service 2/3 min 2",
    ],
  },
  "two may be down: they go in pairs; the smallest number of a set rules": {
    lines: [
      ...[1, 2, 3].map((number) => web(number, { max: 2 })),
      ...[1, 2].map((number): Line => ({ ...web(number, { max: number }), unit: `api@${number}.service` })),
    ],
    waves: [
      "api@1.service@m1 web@1.service@m1 web@2.service@m2 | api@.service 1/2 min 1, web@.service 1/3 min 1",
      "api@2.service@m2 web@3.service@m3 | api@.service 1/2 min 1, web@.service 2/3 min 1",
    ],
  },
  "what takes nobody down needs no budget: reload, daemon-reload, quiet, adopt": {
    lines: [
      web(1, { is: "reload" }),
      web(2, { is: "daemon-reload" }),
      web(3, { is: "quiet" }),
      web(4, { is: "adopt" }),
    ],
    waves: ["web@1.service@m1 web@2.service@m2 web@3.service@m3 web@4.service@m4"],
  },
  "a global unit restarts machine by machine": {
    lines: [{ unit: "g.service", is: "restart", on: ["m1", "m2", "m3"], global: true }],
    waves: [
      "g.service@m1 | g.service 2/3 min 2",
      "g.service@m2 | g.service 2/3 min 2",
      "g.service@m3 | g.service 2/3 min 2",
    ],
  },
  "a machine that is off takes its copy of a global unit out of the count: the others go on": {
    lines: [{ unit: "g.service", is: "restart", on: ["m1", "m2", "m3"], global: true }],
    away: ["m3"],
    waves: ["g.service@m1 g.service@m3 | g.service 1/2 min 1", "g.service@m2 | g.service 1/2 min 1"],
  },
  "an instance on a machine that is off is down: its siblings are not restarted, and every wave that would is refused":
    {
      lines: [web(1), web(2), web(3)],
      away: ["m3"],
      waves: [
        "web@3.service@m3",
        "web@1.service@m1 | web@.service 1/3 min 2",
        "web@2.service@m2 | web@.service 1/3 min 2",
      ],
      refused: ["wave 2: web@.service 1/3 min 2 now 2", "wave 3: web@.service 1/3 min 2 now 2"],
    },
  "others go on around what is refused, and before it": {
    lines: [
      web(1),
      web(2, { on: ["off"] }),
      { unit: "z@1.service", is: "restart", on: ["m1"] },
      { unit: "z@2.service", is: "restart", on: ["m1"] },
    ],
    away: ["off"],
    waves: [
      "web@2.service@off z@1.service@m1 | z@.service 1/2 min 1",
      "z@2.service@m1 | z@.service 1/2 min 1",
      "web@1.service@m1 | web@.service 0/2 min 1",
    ],
    refused: ["wave 3: web@.service 0/2 min 1 now 1"],
  },
  "one that does not run is restarted first, and for nothing": {
    lines: [web(1), web(2), web(3)],
    down: ["web@3.service"],
    waves: [
      "web@3.service@m3",
      "web@1.service@m1 | web@.service 2/3 min 2",
      "web@2.service@m2 | web@.service 2/3 min 2",
    ],
  },
  "where all are down, all go at once": {
    lines: [web(1), web(2), web(3)],
    down: ["web@1.service", "web@2.service", "web@3.service"],
    waves: ["web@1.service@m1 web@2.service@m2 web@3.service@m3"],
  },
  "what a lost machine held moves at once, before anybody else goes down": {
    lines: [
      web(1, { is: "move", on: ["off"], to: ["m2"] }),
      web(2, { is: "move", on: ["off"], to: ["m3"] }),
      web(3, { is: "restart" }),
    ],
    away: ["off"],
    waves: ["web@1.service@m2 web@2.service@m3", "web@3.service@m3 | web@.service 2/3 min 2"],
  },
  "a drain moves one replica at a time": {
    lines: [web(1, { is: "move", on: ["m1"], to: ["m2"] }), web(2, { is: "move", on: ["m1"], to: ["m3"] })],
    waves: ["web@1.service@m2 | web@.service 1/2 min 1", "web@2.service@m3 | web@.service 1/2 min 1"],
  },
  "a group changes as one, though it is refused for holding two replicas": {
    lines: [web(1, { group: "web@1.service" }), web(2, { on: ["m1"], group: "web@1.service" })],
    waves: ["web@1.service@m1 web@2.service@m1 | web@.service 0/2 min 1"],
    refused: ["wave 1: web@.service 0/2 min 1 now 2"],
  },
  "a group of a service and its socket is counted twice, once as services and once as sockets": {
    lines: [1, 2].flatMap((number): Line[] => [
      web(number, { group: `g${number}` }),
      { unit: `web@${number}.socket`, is: "restart", on: [`m${number}`], group: `g${number}` },
    ]),
    waves: [
      "web@1.service@m1 web@1.socket@m1 | web@.service 1/2 min 1, web@.socket 1/2 min 1",
      "web@2.service@m2 web@2.socket@m2 | web@.service 1/2 min 1, web@.socket 1/2 min 1",
    ],
  },
  "growing: new instances first, then the old ones change, and the new ones count": {
    lines: [web(1), web(2, { is: "start", on: [], to: ["m2"] }), web(3, { is: "start", on: [], to: ["m3"] })],
    waves: ["web@2.service@m2 web@3.service@m3", "web@1.service@m1 | web@.service 2/3 min 2"],
  },
  "shrinking: those that are too many are what others may use while they restart": {
    lines: [web(1), web(2), ...[3, 4].map((number) => web(number, { is: "stop", to: [], gone: true }))],
    waves: [
      "web@1.service@m1 web@2.service@m2 web@3.service@m3 | web@.service 1/2 min 1",
      "web@4.service@m4 | web@.service 2/2 min 1",
    ],
  },
  "shrinking to those that are down is refused": {
    lines: [
      web(1, { is: "quiet", on: ["off"] }),
      web(2, { is: "quiet", on: ["off"] }),
      ...[3, 4].map((number) => web(number, { is: "stop", to: [], gone: true })),
    ],
    away: ["off"],
    waves: [
      "web@1.service@off web@2.service@off web@3.service@m3 | web@.service 1/2 min 1",
      "web@4.service@m4 | web@.service 0/2 min 1",
    ],
    refused: ["wave 2: web@.service 0/2 min 1 now 2"],
  },
  "blue is stopped once green is up": {
    lines: [
      { unit: "web@blue.service", is: "stop", on: ["m1"], to: [], gone: true },
      { unit: "web@green.service", is: "start", on: [], to: ["m2"] },
    ],
    waves: ["web@green.service@m2", "web@blue.service@m1 | web@.service 1/1 min 0"],
  },
  "blue leaves in the wave in which green comes, where they may not share the machine": {
    lines: [
      { unit: "web@blue.service", is: "stop", on: ["m1"], to: [], gone: true },
      { unit: "web@green.service", is: "start", on: [], to: ["m1"], conflicts: ["web@*.service"] },
    ],
    waves: ["web@blue.service@m1 web@green.service@m1 | web@.service 0/1 min 0"],
  },
  "who waits for a machine to be left moves no earlier than who leaves it": {
    lines: [
      web(1, { is: "move", to: ["m2"] }),
      web(2, { is: "move", to: ["m3"] }),
      { unit: "a.service", is: "move", on: ["m9"], to: ["m2"], conflicts: ["web@2.service"] },
    ],
    waves: [
      "web@1.service@m2 | web@.service 1/2 min 1",
      "a.service@m2 web@2.service@m3 | a.service 0/1 min 0, web@.service 1/2 min 1",
    ],
  },
  "two that change places with each other go together": {
    lines: [
      { unit: "a.service", is: "move", on: ["m1"], to: ["m2"], conflicts: ["b.service"] },
      { unit: "b.service", is: "move", on: ["m2"], to: ["m1"] },
    ],
    waves: ["a.service@m2 b.service@m1 | a.service 0/1 min 0, b.service 0/1 min 0"],
  },
  "one that fits nowhere any more is missed from then on": {
    lines: [web(1, { is: "stop", to: [] }), web(2), web(3)],
    waves: [
      "web@1.service@m1 | web@.service 2/3 min 2",
      "web@2.service@m2 | web@.service 1/3 min 2",
      "web@3.service@m3 | web@.service 1/3 min 2",
    ],
    refused: ["wave 2: web@.service 1/3 min 2 now 3", "wave 3: web@.service 1/3 min 2 now 3"],
  },
  "worse than the budget and no worse than now is not refused, and comes last": {
    lines: [
      web(1),
      web(2, { is: "move", on: ["off"], to: ["m2"] }),
      web(3, { on: ["off"], is: "quiet" }),
      { unit: "z@1.service", is: "restart", on: ["m1"] },
      { unit: "z@2.service", is: "restart", on: ["m1"] },
    ],
    away: ["off"],
    waves: [
      "web@2.service@m2 web@3.service@off z@1.service@m1 | z@.service 1/2 min 1",
      "z@2.service@m1 | z@.service 1/2 min 1",
      "web@1.service@m1 | web@.service 1/3 min 2",
    ],
  },
  "what starts after another on another machine is in a later wave": {
    lines: [
      { unit: "a.service", is: "restart", on: ["m1"], after: ["z.service"] },
      { unit: "z.service", is: "restart", on: ["m2"] },
    ],
    waves: ["z.service@m2 | z.service 0/1 min 0", "a.service@m1 | a.service 0/1 min 0"],
  },
  "on the same machine systemd keeps the order within one wave": {
    lines: [
      { unit: "a.service", is: "start", on: [], to: ["m1"], after: ["z.service"] },
      { unit: "z.service", is: "start", on: [], to: ["m1"] },
    ],
    waves: ["a.service@m1 z.service@m1"],
  },
  "order is about starts: a quiet change waits for nobody and nobody waits for it": {
    lines: [
      { unit: "a.service", is: "restart", on: ["m1"], after: ["z.service"] },
      { unit: "y.service", is: "quiet", on: ["m1"], after: ["a.service"] },
      { unit: "z.service", is: "reload", on: ["m2"] },
    ],
    waves: ["a.service@m1 y.service@m1 z.service@m2 | a.service 0/1 min 0"],
  },
  "what starts after a global unit waits for the copy beside it, or for all where there is none": {
    lines: [
      { unit: "g.service", is: "restart", on: ["m1", "m2"], global: true },
      { unit: "a.service", is: "restart", on: ["m1"], after: ["g.service"] },
      { unit: "b.service", is: "restart", on: ["m9"], after: ["g.service"] },
    ],
    waves: [
      "a.service@m1 g.service@m1 | a.service 0/1 min 0, g.service 1/2 min 1",
      "g.service@m2 | g.service 1/2 min 1",
      "b.service@m9 | b.service 0/1 min 0",
    ],
  },
  "groups that wait for each other in a circle do not wait at all, and only they": {
    lines: [
      { unit: "a1.service", is: "restart", on: ["m1"], group: "a", after: ["b1.service"] },
      { unit: "a2.service", is: "restart", on: ["m1"], group: "a" },
      { unit: "b1.service", is: "restart", on: ["m2"], group: "b" },
      { unit: "b2.service", is: "restart", on: ["m2"], group: "b", after: ["a2.service"] },
      { unit: "0.service", is: "restart", on: ["m3"], after: ["b2.service"] },
    ],
    waves: [
      "a1.service@m1 a2.service@m1 b1.service@m2 b2.service@m2 | a1.service 0/1 min 0, a2.service 0/1 min 0, b1.service 0/1 min 0, b2.service 0/1 min 0",
      "0.service@m3 | 0.service 0/1 min 0",
    ],
  },
  "of two that are removed the one that starts after the other goes first, where the commit before is known": {
    lines: [
      { unit: "a.service", is: "stop", on: ["m1"], to: [], gone: true },
      { unit: "z.service", is: "stop", on: ["m2"], to: [], gone: true, after: ["a.service"] },
    ],
    known: true,
    waves: ["z.service@m2", "a.service@m1"],
  },
  "what needed a removed unit is changed before that is stopped": {
    lines: [
      { unit: "db.service", is: "stop", on: ["m1"], to: [], gone: true },
      { unit: "web.service", is: "restart", on: ["m2"], after: ["db.service"] },
    ],
    known: true,
    waves: ["web.service@m2 | web.service 0/1 min 0", "db.service@m1"],
  },
  "removed units of one group go with it": {
    lines: [
      { unit: "a.service", is: "restart", on: ["m1"], group: "a.service" },
      { unit: "a.socket", is: "stop", on: ["m1"], to: [], gone: true, group: "a.service" },
      web(1, { is: "stop", to: [], gone: true }),
    ],
    known: true,
    waves: ["a.service@m1 a.socket@m1 web@1.service@m1 | a.service 0/1 min 0"],
  },
  "what systemd restarts along goes with it, and uses up the budget of its own set": {
    lines: [
      { unit: "back.service", is: "restart", on: ["m2"] },
      web(1),
      web(2, { with: "back.service", same: true }),
      { unit: "z.service", is: "restart", on: ["m2"], with: "back.service", group: "z" },
      { unit: "z.socket", is: "quiet", on: ["m2"], group: "z" },
    ],
    waves: [
      "back.service@m2 web@2.service@m2 z.service@m2 z.socket@m2 | back.service 0/1 min 0, web@.service 1/2 min 1, z.service 0/1 min 0",
      "web@1.service@m1 | web@.service 1/2 min 1",
    ],
  },
};

for (const [sentence, { lines, away = [], down = [], known, waves, refused = [] }] of Object.entries(CASES)) {
  test(sentence, () => {
    const rollout = planRollout({
      spec: specOf(lines.filter((line) => !line.gone)),
      released: known ? specOf(lines) : null,
      before: new Map(
        lines
          .filter((line) => line.on?.length)
          .map((line) => [line.unit as UnitName, line.on!.map((machine) => sideOf(machine, "old"))]),
      ),
      after: lines.flatMap((line) =>
        (line.to ?? line.on ?? []).map(
          (machine): Placement => ({
            unit: line.unit as UnitName,
            ...sideOf(machine, line.is === undefined || line.same ? "old" : "new"),
            reason: { code: "stayed" },
          }),
        ),
      ),
      changes: lines.flatMap(changesOf),
      isAway: (machine) => away.includes(machine),
      stateOf: (unit) => (down.includes(unit) ? "down" : "up"),
    });
    const budgets = (list: readonly { set: string; up: number; of: number; min: number }[]) =>
      list.map(({ set, up, of, min }) => `${set} ${up}/${of} min ${min}`).join(", ");
    const shown = rollout.waves.map((wave) => {
      const changes = wave.changes.map(({ unit, machine }) => `${unit}@${machine}`).join(" ");
      return wave.budgets.length === 0 ? changes : `${changes} | ${budgets(wave.budgets)}`;
    });
    assert.deepEqual(shown, waves);
    assert.deepEqual(
      rollout.refusals.map((refusal) => `wave ${refusal.wave}: ${budgets([refusal])} now ${refusal.now}`),
      refused,
    );
  });
}

test("20,000 changes of 2,000 templates, or of one, take a fraction of what their square would", () => {
  for (const instances of [10, 20_000]) {
    const lines = Array.from({ length: 20_000 }, (_, number): Line => {
      const template = `t${Math.floor(number / instances)}`;
      return { unit: `${template}@${number}.service`, is: "restart", on: [`m${number % 1000}`] };
    });
    const input = {
      spec: specOf(lines),
      released: null,
      before: new Map(lines.map((line) => [line.unit as UnitName, [sideOf(line.on![0]!, "old")]])),
      after: [],
      changes: lines.flatMap(changesOf),
      isAway: () => false,
      stateOf: () => "up" as const,
    };
    const startedMs = performance.now();
    const { waves } = planRollout(input);
    const tookMs = performance.now() - startedMs;
    assert.equal(waves.length, instances);
    assert.ok(tookMs < 5000, `took ${tookMs} ms`);
  }
});

function changesOf(line: Line): RolloutChange[] {
  const { with: leader, same } = line;
  return changesOfItsOwn(line).map((change) =>
    leader === undefined
      ? change
      : { ...change, to: same ? change.from : change.to, reason: { code: "restart-with", unit: leader as UnitName } },
  );
}

function changesOfItsOwn({ unit, is, on = [], to, gone }: Line): RolloutChange[] {
  if (is === undefined) return [];
  const name = unit as UnitName;
  if (on.length === 0) return to!.map((machine) => change(name, is, null, machine));
  if (gone || to?.length === 0) return on.map((machine) => change(name, is, machine, null));
  return on.map((machine) => change(name, is, machine, to?.[0] ?? machine));
}

function change(unit: UnitName, effect: Effect, from: string | null, to: string | null): RolloutChange {
  return {
    unit,
    effect,
    from: from === null ? null : sideOf(from, "old"),
    to: to === null ? null : sideOf(to, "new"),
    reason: { code: "goal-changed" },
  };
}

function sideOf(machine: string, hash: string) {
  return { machine: machine as MachineId, hash: hash as UnitHash, goal: "launched" as const };
}

function specOf(lines: readonly Line[]): ClusterSpec {
  const groups = Map.groupBy(lines, (line) => line.group ?? line.unit);
  return {
    cluster: "test",
    specHash: "hash" as SpecHash,
    units: lines.map(unitOf),
    groups: [...groups].map(([name, members]) => ({
      name: name as GroupName,
      units: members.map((line) => line.unit as UnitName),
      global: members.every((line) => line.global === true),
      ties: [],
      move: "auto",
      localState: [],
    })),
    machines: [],
    admit: "any",
    loss: { agentTtlMs: 30_000, graceMs: 60_000 },
  };
}

function unitOf({ unit, group, global, conflicts = [], after = [], max = 1 }: Line): SpecUnit {
  return {
    name: unit as UnitName,
    service: unit as UnitName,
    kind: "systemd",
    template: null,
    goal: "launched",
    fragment: { path: unit, text: "" },
    dropins: [],
    companions: [],
    options: {
      global: global === true,
      machineId: null,
      machineOf: [],
      machineMetadata: [],
      conflicts,
      replaces: [],
      group: "auto",
      move: "auto",
    },
    group: (group ?? unit) as GroupName,
    after: after as readonly UnitName[],
    rollout: { maxUnavailable: max, minHealthyTimeMs: 0, healthDeadlineMs: 60_000 },
  };
}
