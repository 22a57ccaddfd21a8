import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import type { Machine } from "../../src/domain/cluster/machine.ts";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import type { PlacementInput } from "../../src/domain/placement/place-groups.ts";
import { placeUnits } from "../../src/domain/placement/place-units.ts";
import type { Placement } from "../../src/domain/placement/placement.ts";
import { UnitPlacer } from "../../src/domain/placement/unit-placer.ts";
import type { ClusterSpec } from "../../src/domain/spec/cluster-spec.ts";
import * as fc from "./fast-check.ts";
import {
  currentOf,
  machines as manyMachines,
  placementCases,
  preferredOf,
  specOf,
  type UnitSketch,
  unitSketches,
} from "./generators/cluster.ts";

const sha256 = (text: string) => createHash("sha256").update(text).digest("hex");

/** What happens between one placement and the next. Numbers pick one of whatever is there. */
type Step =
  | { readonly code: "unit"; readonly sketch: UnitSketch }
  | { readonly code: "drop"; readonly pick: number }
  | { readonly code: "machine"; readonly pick: number; readonly state: Partial<Machine> }
  | { readonly code: "machines"; readonly machines: readonly Machine[] }
  | { readonly code: "settle"; readonly share: number }
  | { readonly code: "move"; readonly current: PlacementInput["current"] }
  | { readonly code: "plan"; readonly preferred: PlacementInput["preferred"] }
  | { readonly code: "same" };

const histories = placementCases.chain((input) =>
  fc.record({
    input: fc.constant(input),
    steps: fc.array(stepOf(input), { minLength: 2, maxLength: 12 }),
    remembers: fc.boolean(),
  }),
);

function stepOf({ sketches, machines }: { sketches: readonly UnitSketch[]; machines: readonly Machine[] }) {
  const one = fc.nat({ max: 20 });
  return fc.oneof(
    { weight: 5, arbitrary: unitSketches.map((all): Step => ({ code: "unit", sketch: all[0]! })) },
    { weight: 3, arbitrary: one.map((pick): Step => ({ code: "drop", pick })) },
    {
      weight: 5,
      arbitrary: fc.record({
        code: fc.constant("machine" as const),
        pick: one,
        state: fc.constantFrom<Partial<Machine>>(
          { presence: "present" },
          { presence: "absent" },
          { presence: "lost" },
          { presence: "lost", graces: { cluster: false, ownMs: 0 } },
          { drain: true },
          { drain: false, cordon: false },
          { cordon: true },
          { flapping: true },
          { metadata: { zone: "b" } },
          { capacity: { cpuMilli: 2, memoryBytes: 2 } },
        ),
      }),
    },
    { weight: 1, arbitrary: manyMachines.map((all): Step => ({ code: "machines", machines: all })) },
    { weight: 6, arbitrary: fc.constantFrom(1, 1, 2, 3).map((share): Step => ({ code: "settle", share })) },
    { weight: 2, arbitrary: currentOf(sketches, machines).map((current): Step => ({ code: "move", current })) },
    { weight: 1, arbitrary: preferredOf(sketches, machines).map((preferred): Step => ({ code: "plan", preferred })) },
    { weight: 1, arbitrary: fc.constant<Step>({ code: "same" }) },
  );
}

test("whatever has happened before, placing again gives what placing anew gives", () => {
  fc.assert(
    fc.property(histories, ({ input, steps, remembers }) => {
      const placer = new UnitPlacer(sha256);
      let now: PlacementInput = input;
      let sketches = input.sketches;
      let { placements } = placer.place(now);
      for (const step of steps) {
        sketches = changed(sketches, step);
        now = next(now, sketches, step, placements, remembers);
        const again = placer.place(now);
        assert.deepEqual(again, placeUnits({ ...now, sha256 }), `after ${step.code}`);
        assert.equal(placer.place({ ...now }), again, "where nothing changed it is the same value");
        placements = again.placements;
      }
    }),
    { numRuns: 1_500 },
  );
});

test("a commit that names units by the values they were is followed, and not placed anew", () => {
  fc.assert(
    fc.property(placementCases, (input) => {
      const placer = new UnitPlacer(sha256);
      const first = placer.place(input);
      assert.equal(placer.place({ ...input, spec: { ...input.spec, groups: [...input.spec.groups] } }), first);
      const shuffled = {
        ...input.spec,
        units: [...input.spec.units].reverse(),
        groups: [...input.spec.groups].reverse(),
      };
      assert.equal(placer.place({ ...input, spec: shuffled, machines: [...input.machines].reverse() }), first);
    }),
    { numRuns: 300 },
  );
});

function changed(sketches: readonly UnitSketch[], step: Step): readonly UnitSketch[] {
  if (step.code === "unit") return [...sketches.filter(({ name }) => name !== step.sketch.name), step.sketch];
  if (step.code !== "drop" || sketches.length < 2) return sketches;
  return sketches.filter((_, index) => index !== step.pick % sketches.length);
}

function next(
  now: PlacementInput,
  sketches: readonly UnitSketch[],
  step: Step,
  placements: readonly Placement[],
  remembers: boolean,
): PlacementInput {
  switch (step.code) {
    case "unit":
    case "drop":
      return { ...now, spec: remembers ? carried(now.spec, specOf(sketches)) : specOf(sketches) };
    case "machine":
      return {
        ...now,
        machines: now.machines.map((machine, index) =>
          index === step.pick % now.machines.length ? { ...machine, ...step.state } : machine,
        ),
      };
    case "machines":
      return { ...now, machines: step.machines };
    case "settle":
      return { ...now, current: settled(now.current, placements, step.share) };
    case "move":
      return { ...now, current: step.current };
    case "plan":
      return { ...now, preferred: step.preferred };
    case "same":
      return { ...now, machines: now.machines.map((machine) => ({ ...machine })), current: new Map(now.current) };
  }
}

/** Units that are as they were are the very values they were, as a compiler that remembers gives them. */
function carried(before: ClusterSpec, now: ClusterSpec): ClusterSpec {
  const known = new Map(before.units.map((unit) => [JSON.stringify(unit), unit]));
  return { ...now, units: now.units.map((unit) => known.get(JSON.stringify(unit)) ?? unit) };
}

/** One unit in so many has come to where it was placed. */
function settled(
  before: PlacementInput["current"],
  placements: readonly Placement[],
  share: number,
): PlacementInput["current"] {
  const placed = new Map<UnitName, MachineId[]>();
  for (const { unit, machine } of placements) placed.set(unit, [...(placed.get(unit) ?? []), machine]);
  const result = new Map(before);
  [...placed].forEach(([unit, machines], index) => {
    if (index % share === 0) result.set(unit, machines);
  });
  return result;
}
