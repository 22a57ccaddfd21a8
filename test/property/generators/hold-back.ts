import type { MachineId, UnitHash, UnitName } from "../../../src/domain/names.ts";
import { placeUnits } from "../../../src/domain/placement/place-units.ts";
import type { PlacedSide } from "../../../src/domain/placement/placed-now.ts";
import type { BaseSpec } from "../../../src/domain/rollout/base-versions.ts";
import type { HoldBackInput } from "../../../src/domain/rollout/hold-back.ts";
import type { Ring } from "../../../src/domain/spec/cluster-spec.ts";
import { unitOnMachine } from "../../../src/domain/spec/unit-on-machine.ts";
import { sha256 } from "../../compile-repository.ts";
import * as fc from "../fast-check.ts";
import { currentOf, machines, specOf, unitSketches } from "./cluster.ts";

function ring(key: string, value: string | null): Ring {
  const match = value === null ? null : { kind: "metadata" as const, key, values: [value] };
  return { name: value ?? "*", match, soakMs: 0, window: null };
}

export const RINGS: readonly (readonly Ring[])[] = [
  [],
  [ring("role", "web"), ring("*", null)],
  [ring("role", "db"), ring("zone", "a")],
  [ring("zone", "a"), ring("role", "web"), ring("*", null)],
];

/** Two specs, machines in rings, and whatever an earlier rollout has left behind. */
export const holdBackInputs: fc.Arbitrary<HoldBackInput> = fc
  .tuple(
    unitSketches,
    unitSketches,
    machines,
    fc.constantFrom<"known" | "none" | "unknown">("known", "known", "none", "unknown"),
  )
  .chain(([sketches, old, known, kind]) => {
    const [spec, oldSpec] = [specOf(sketches), specOf(old)];
    const base: BaseSpec = kind === "known" ? oldSpec : kind === "none" ? null : "unknown";
    const byName = new Map([...sketches, ...old].map((sketch) => [sketch.name, sketch]));
    return fc
      .record({
        current: currentOf([...byName.values()], known),
        rings: fc.constantFrom(...RINGS),
        openRings: fc.integer({ min: 1, max: 4 }),
        versions: fc.infiniteStream(fc.constantFrom("old", "old", "old", "new", "third")),
      })
      .map(({ current, rings, openRings, versions }) => ({
        spec,
        base,
        before: placedOf(current, (unit) => {
          const version = versions.next().value!;
          const one = (version === "new" ? spec : oldSpec).units.find(({ name }) => name === unit);
          return version === "third" || one === undefined ? ("third" as UnitHash) : hashOf(one, spec);
        }),
        wanted: placeUnits({ spec, machines: known, current, preferred: new Map(), sha256 }).placements,
        machines: known,
        rings,
        openRings,
        sha256,
      }));
  });

export function hashOf(unit: Parameters<typeof unitOnMachine>[0], spec: Parameters<typeof unitOnMachine>[2]): UnitHash {
  return unitOnMachine(unit, null, spec, sha256).hash;
}

function placedOf(
  current: ReadonlyMap<UnitName, readonly MachineId[]>,
  hash: (unit: UnitName) => UnitHash,
): Map<UnitName, readonly PlacedSide[]> {
  return new Map(
    [...current].map(([unit, list]) => [
      unit,
      list.map((machine) => ({ machine, hash: hash(unit), goal: "launched" })),
    ]),
  );
}
