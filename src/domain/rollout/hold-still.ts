import type { Machine } from "../cluster/machine.ts";
import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { type BaseSpec, type BaseVersions, baseVersions } from "./base-versions.ts";

export interface HoldStillInput {
  readonly spec: ClusterSpec;
  /** The last release whose rollout ended well. */
  readonly base: BaseSpec;
  /** `placedNow` of the snapshot. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  /** What would be on each machine if the rollout went on. */
  readonly wanted: readonly Placement[];
  readonly machines: readonly Machine[];
  /** On which machines no version changes now. */
  readonly isStill: (machine: MachineId) => boolean;
  readonly sha256: Sha256;
}

/**
 * What is to be on each machine while a rollout does not go on there: what is there, in the version that is placed, whatever the release
 * wants. What has to leave goes on leaving (its machine is lost, drained, or has been told to let it go), and comes anew as the
 * base has it (protocol rule 31), or as the release does where the base has it not or cannot be read. Where nothing is older than the release, what is new
 * waits as well. Sorted by unit, then machine.
 */
export function holdStill(input: HoldStillInput): readonly Placement[] {
  const { spec, before, wanted, machines, isStill } = input;
  const versions = baseVersions(input.base, machines, input.sha256);
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const known = new Map(machines.map((machine) => [machine.id, machine]));
  const mayStay = ({ machine, goal }: PlacedSide) => {
    const there = known.get(machine);
    return goal !== "inactive" && there?.presence === "present" && !there.drain;
  };
  const isGlobal = (unit: UnitName) => units.get(unit)?.options.global === true;
  const held: Placement[] = [];
  const staying = new Set<string>();
  const stay = (
    placement: Pick<Placement, "unit">,
    { machine, hash, goal }: PlacedSide,
    otherwise: Placement["goal"],
  ) => {
    staying.add(`${placement.unit}/${machine}`);
    const { unit } = placement;
    held.push({ unit, machine, hash, goal: goal === "inactive" ? otherwise : goal, reason: { code: "stayed" } });
  };
  for (const placement of wanted) {
    const { unit, machine } = placement;
    const sides = before.get(unit) ?? [];
    const here = sides.find((side) => side.machine === machine);
    const from = here ?? (isGlobal(unit) ? undefined : sides[0]);
    if (!isStill((from ?? placement).machine)) {
      staying.add(`${unit}/${machine}`);
      held.push(placement);
    } else if (here !== undefined) stay(placement, here, placement.goal);
    else if (from !== undefined && mayStay(from)) stay(placement, from, placement.goal);
    else held.push(...comingAnew(placement, from !== undefined, versions));
  }
  const wantedUnits = new Set(wanted.map(({ unit }) => unit));
  const released = baseVersions(spec, machines, input.sha256);
  // Nothing of its version keeps it there: it moves, or the machine has become another.
  const goesAnyway = (unit: UnitName, { machine, hash }: PlacedSide) =>
    (wantedUnits.has(unit) && !isGlobal(unit)) || released.on(unit, machine)?.hash === hash;
  for (const [unit, sides] of before) {
    for (const side of sides) {
      if (staying.has(`${unit}/${side.machine}`) || !isStill(side.machine) || goesAnyway(unit, side)) continue;
      stay({ unit }, side, "launched");
    }
  }
  return held.sort((a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine));
}

function comingAnew(placement: Placement, wasPlaced: boolean, versions: BaseVersions): readonly Placement[] {
  const version = versions.on(placement.unit, placement.machine);
  if (version !== null && version.goal !== "inactive") return [{ ...placement, ...version }];
  return wasPlaced || !versions.isKnown ? [placement] : [];
}
