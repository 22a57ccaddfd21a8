import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import type { MachineId, UnitHash, UnitName } from "../../src/domain/names.ts";
import { LossTrials } from "../../src/domain/placement/lose-machines.ts";
import { type PlacementInput, placeGroups } from "../../src/domain/placement/place-groups.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import type { Seat } from "../../src/domain/placement/sitting.ts";
import * as fc from "./fast-check.ts";
import { placementCases, specOf } from "./generators/cluster.ts";

const RUNS = { numRuns: 2_000 };

/** A plan knows of no grace: it tells what becomes of a loss in the end. */
const plannedCases = placementCases.map((input) => ({
  ...input,
  machines: input.machines.map(({ graces: _, ...machine }): Machine => machine),
}));

const lossCases = plannedCases.chain((input) =>
  fc.record({
    input: fc.constant(input),
    lost: fc.subarray(
      input.machines.map(({ id }) => id),
      { minLength: 1 },
    ),
  }),
);

test("a loss leaves every unit where placing everything anew with those machines lost would leave it", () => {
  fc.assert(
    fc.property(lossCases, ({ input, lost }) => {
      const placements = placementsOf(input);
      const trials = new LossTrials(input.spec, input.machines, placements);
      const expected = placedAnew(input, placements, lost);
      assert.deepEqual(shown(trials, lost), expected);
      assert.deepEqual(shown(trials, lost), expected, "a second trial gives something else");
    }),
    RUNS,
  );
});

test("a plan made with the machines lost is told as the trial tells it", () => {
  fc.assert(
    fc.property(lossCases, ({ input, lost }) => {
      const placements = placementsOf(input);
      const trials = new LossTrials(input.spec, input.machines, placements);
      const anew = placementsOf(inputWithout(input, placements, lost));
      assert.deepEqual(trials.compare(new Set(lost), anew), trials.lose(new Set(lost)));
    }),
    RUNS,
  );
});

/** A placement takes some ten milliseconds: of twenty a tick more or less says little. */
const ROUNDS = 20;

test("what the loss of each of 40 machines means for 3,000 units costs no more than placing them a few times", () => {
  const sketches = Array.from({ length: 3_000 }, (_, index) => ({
    name: `u${String(index).padStart(4, "0")}.service`,
    group: index,
    global: false,
    goal: "launched" as const,
    machineId: null,
    machineMetadata: [],
    conflicts: index % 10 === 0 ? [`u${String((index + 10) % 3_000).padStart(4, "0")}.service`] : [],
    replaces: [],
    move: "auto" as const,
    text: "",
  }));
  const machines = Array.from(
    { length: 40 },
    (_, index): Machine => ({
      id: index.toString(16).padStart(32, "0") as MachineId,
      name: `m${index}`,
      address: "",
      metadata: {},
      drain: false,
      cordon: false,
      presence: "present",
      presenceRevision: 1,
      admitted: true,
    }),
  );
  const input = { spec: specOf(sketches), machines, current: new Map(), preferred: new Map() };
  const placements = placementsOf(input);
  const once = cpuMs(() => placeGroups(input));
  const all = cpuMs(() => {
    const trials = new LossTrials(input.spec, machines, placements);
    return machines.map(({ id }) => trials.lose(new Set([id])));
  });
  // Measured at 1 to 8 times; 40 times is what it would be without the shortcut.
  assert.ok(all < once * 20, `${all.toFixed(1)} ms, and one placement takes ${once.toFixed(1)} ms`);
});

/**
 * Milliseconds of this thread's own CPU time: what else the machine does is not in it. The mean of many runs, because kernels count in ticks
 * of some milliseconds.
 */
function cpuMs(run: () => unknown): number {
  const start = process.threadCpuUsage();
  for (let round = 0; round < ROUNDS; round += 1) run();
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000 / ROUNDS;
}

/** Where each group goes, and which units stay down, by what is told. */
function shown(trials: LossTrials, lost: readonly MachineId[]) {
  const { moved, down } = trials.lose(new Set(lost));
  return {
    moved: moved.map(({ atom, from, to }) => `${atom.group.name} ${from} ${to}`),
    down: down.map(({ atom }) => atom.group.name),
  };
}

function placedAnew(input: PlacementInput, placements: readonly Placement[], lost: readonly MachineId[]) {
  const { seats } = placeGroups(inputWithout(input, placements, lost));
  const running = (seat: Seat) => !lost.includes(seat.machine.id);
  const before = new Map(placements.map(({ unit, machine }) => [unit, machine]));
  const groups = input.spec.groups.flatMap((group) => {
    const unit = group.units.find((name) => before.has(name));
    return unit === undefined ? [] : [{ group, unit, from: before.get(unit)! }];
  });
  const seatsOf = (name: string) => seats.filter((seat) => seat.atom.group.name === name);
  return {
    moved: groups.flatMap(({ group, from }) => {
      const [seat] = seatsOf(group.name);
      const moves = !group.global && seat !== undefined && seat.machine.id !== from;
      return moves ? [`${group.name} ${from} ${seat.machine.id}`] : [];
    }),
    down: groups
      .filter(({ group, unit, from }) => {
        const own = seatsOf(group.name);
        if (group.global) {
          const held = placements.some((placement) => placement.unit === unit && lost.includes(placement.machine));
          return held && !own.some((seat) => running(seat) && seat.machine.presence === "present");
        }
        const wasLost = lost.includes(from) && own.every((seat) => !running(seat));
        return wasLost || own.length === 0;
      })
      .map(({ group }) => group.name),
  };
}

function inputWithout(input: PlacementInput, placements: readonly Placement[], lost: readonly MachineId[]) {
  const current = new Map<UnitName, MachineId[]>();
  for (const { unit, machine } of placements) current.set(unit, [...(current.get(unit) ?? []), machine]);
  const machines = input.machines.map(
    (machine): Machine => (lost.includes(machine.id) ? { ...machine, presence: "lost" } : machine),
  );
  return { ...input, machines, current, preferred: new Map() };
}

function placementsOf(input: PlacementInput): Placement[] {
  return placeGroups(input)
    .seats.flatMap(({ atom, machine }) =>
      atom.units.map(
        ({ name, goal }): Placement => ({
          unit: name,
          machine: machine.id,
          hash: "" as UnitHash,
          goal,
          reason: { code: "stayed" },
        }),
      ),
    )
    .sort((a, b) => (a.unit < b.unit ? -1 : a.unit > b.unit ? 1 : a.machine < b.machine ? -1 : 1));
}
