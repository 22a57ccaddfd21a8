import assert from "node:assert/strict";
import { test } from "node:test";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import { matchesSelector } from "../../src/domain/cluster/selector.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import { type PlacementInput, placeGroups } from "../../src/domain/placement/place-groups.ts";
import type { ClusterSpec, SpecUnit } from "../../src/domain/spec/cluster-spec.ts";
import { compileGlob } from "../../src/domain/unit/glob.ts";
import { replicaSetOf } from "../../src/domain/unit/replica-set-of.ts";
import * as fc from "./fast-check.ts";
import { placementCases, specOf } from "./generators/cluster.ts";
import { naivePlacement } from "./naive-placement.ts";

const RUNS = { numRuns: 500 };

test("the indexed placement puts every unit where the plain telling of the rules puts it, and says why it puts others nowhere", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      const { places, unplaced } = naivePlacement(input);
      assert.deepEqual([...placesOf(input)], [...places]);
      assert.deepEqual(
        placeGroups(input).unplaced.map(({ group, because }) => [
          group,
          because.flatMap(({ reason, count }) => Array(count).fill(reason.code)).sort(),
        ]),
        unplaced,
      );
    }),
    { numRuns: 4_000 },
  );
});

test("no placement breaks a constraint, parts a group, or puts two that conflict together", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      const places = placesOf(input);
      const units = new Map(input.spec.units.map((unit) => [unit.name, unit]));
      for (const [name, ids] of places) {
        const unit = units.get(name)!;
        assert.notEqual(unit.goal, "inactive");
        assert.ok(unit.options.global || ids.length === 1, `${name} is single and on ${ids.length} machines`);
        for (const id of ids) assert.ok(isAllowed(unit, machineOf(input, id)), `${name} is not allowed on ${id}`);
      }
      for (const [a, b] of neighbours(places, input.spec)) {
        assert.ok(!named(a.options.conflicts, b), `${a.name} conflicts with ${b.name} and is beside it`);
        assert.ok(!named(a.options.replaces, b), `${a.name} replaces ${b.name} and is beside it`);
      }
      for (const group of input.spec.groups) {
        const homes = group.units
          .filter((unit) => units.get(unit)!.goal !== "inactive")
          .map((unit) => places.get(unit)?.join());
        assert.ok(new Set(homes).size <= 1, `group ${group.name} is parted: ${homes}`);
      }
    }),
    RUNS,
  );
});

test("nothing new comes to a machine that is absent, lost, drained or cordoned", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      for (const { atom, machine } of placeGroups(input).seats) {
        const isClosed = machine.presence !== "present" || machine.drain || machine.cordon;
        const wasHere = atom.units.some((unit) => input.current.get(unit.name)?.includes(machine.id));
        assert.ok(!isClosed || wasHere, `${atom.group.name} is new on closed machine ${machine.name}`);
      }
    }),
    RUNS,
  );
});

test("every unit that is wanted is placed or unplaced, and never both", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      const unplaced = placeGroups(input).unplaced.flatMap((group) => group.units);
      const all = [...placesOf(input).keys(), ...unplaced].sort();
      const wanted = input.spec.units.filter((unit) => unit.goal !== "inactive").map((unit) => unit.name);
      assert.deepEqual(all, wanted.sort());
    }),
    RUNS,
  );
});

test("a unit is unplaceable only if no machine, there or away, meets its constraints or would without its neighbours", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      for (const { units, kind, because } of placeGroups(input).unplaced) {
        assert.equal(
          because.reduce((sum, entry) => sum + entry.count, 0),
          input.machines.length,
        );
        const members = input.spec.units.filter((unit) => units.includes(unit.name));
        const away = input.machines.some(
          (machine) =>
            members.every((unit) => isAllowed(unit, machine) && hasKeys(unit, machine, input.spec)) &&
            isLargeEnough(members, machine) &&
            (machine.presence !== "present" || machine.drain || machine.cordon),
        );
        assert.equal(kind, away || members[0]!.options.global ? "waiting" : "unplaceable");
      }
    }),
    RUNS,
  );
});

test("the order of machines, units and groups does not matter", () => {
  const shuffled = placementCases.chain((input) =>
    fc.record({
      input: fc.constant(input),
      machines: shuffle(input.machines),
      units: shuffle(input.spec.units),
      groups: shuffle(input.spec.groups),
    }),
  );
  fc.assert(
    fc.property(shuffled, ({ input, machines, units, groups }) => {
      const other = { ...input, machines, spec: { ...input.spec, units, groups } };
      assert.deepEqual(placesOf(other), placesOf(input));
      assert.deepEqual(placeGroups(other).unplaced, placeGroups(input).unplaced);
    }),
    RUNS,
  );
});

test("what is placed stays: placing again changes nothing, whatever any plan prefers", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      const places = placesOf(input);
      assert.deepEqual(placesOf({ ...input, current: places }), places);
    }),
    RUNS,
  );
});

test("adding one unit moves no other", () => {
  fc.assert(
    fc.property(placementCases, fc.nat(), (input, pick) => {
      const added = input.sketches[pick % input.sketches.length]!;
      const isAlone = !input.sketches.some(
        (other) => other !== added && other.group === added.group && other.global === added.global,
      );
      // What it asks for its set may be news to those who are there.
      const asksForAll = added.spread !== undefined || added.maxPerMachine !== undefined;
      fc.pre(isAlone && !added.global && added.replaces.length === 0 && !asksForAll);
      const spec = specOf(input.sketches.filter((sketch) => sketch !== added));
      const before = placesOf({ ...input, spec, preferred: new Map() });
      const after = placesOf({ ...input, current: before });
      after.delete(added.name as UnitName);
      assert.deepEqual(after, before);
    }),
    RUNS,
  );
});

test("units leave a machine only for a reason: it closed for good, it is not allowed, or somebody there minds", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      const settled = placesOf(input);
      const machines = input.machines.map((machine): Machine => ({ ...machine, presence: "absent" }));
      assert.deepEqual(placesOf({ ...input, machines, current: settled }), settled, "absence moved a unit");
    }),
    RUNS,
  );
});

function placesOf(input: PlacementInput): Map<UnitName, MachineId[]> {
  const places = new Map<UnitName, MachineId[]>();
  for (const { atom, machine } of placeGroups(input).seats) {
    for (const unit of atom.units) places.set(unit.name, [...(places.get(unit.name) ?? []), machine.id].sort());
  }
  return new Map([...places].sort(([a], [b]) => (a < b ? -1 : 1)));
}

function machineOf(input: PlacementInput, id: MachineId): Machine {
  return input.machines.find((machine) => machine.id === id)!;
}

function isAllowed({ options }: SpecUnit, machine: Machine): boolean {
  const isNamed = options.machineId === null || [machine.id, machine.name].includes(options.machineId);
  return machine.admitted && isNamed && options.machineMetadata.every((selector) => matchesSelector(selector, machine));
}

/** It may be a rule of another of its set that the machine must have the key. */
function hasKeys(unit: SpecUnit, machine: Machine, { units }: ClusterSpec): boolean {
  const set = units.filter((one) => one.goal !== "inactive" && replicaSetOf(one.name) === replicaSetOf(unit.name));
  return set.every(({ options }) => options.spread?.hard !== true || options.spread.key in machine.metadata);
}

function isLargeEnough(members: readonly SpecUnit[], { capacity }: Machine): boolean {
  const resources = ["cpuMilli", "memoryBytes"] as const;
  const asked = (resource: (typeof resources)[number]) =>
    members.reduce((sum, { requests }) => sum + (requests?.[resource] ?? 0), 0);
  return capacity === undefined || resources.every((resource) => asked(resource) <= capacity[resource]);
}

/** Ordered pairs of units of different groups that share a machine. */
function neighbours(places: ReadonlyMap<UnitName, readonly MachineId[]>, spec: ClusterSpec): [SpecUnit, SpecUnit][] {
  const placed = spec.units.filter((unit) => places.has(unit.name));
  const together = (a: SpecUnit, b: SpecUnit) => places.get(a.name)!.some((id) => places.get(b.name)!.includes(id));
  return placed.flatMap((a) =>
    placed.filter((b) => a.group !== b.group && together(a, b)).map((b): [SpecUnit, SpecUnit] => [a, b]),
  );
}

function named(globs: readonly string[], unit: SpecUnit): boolean {
  return globs.some((glob) => compileGlob(glob)!(unit.name));
}

function shuffle<T>(values: readonly T[]): fc.Arbitrary<readonly T[]> {
  return fc.shuffledSubarray([...values], { minLength: values.length });
}
