import type { Machine } from "../cluster/machine.ts";
import { compareText, type MachineId, type Sha256, type UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, Ring } from "../spec/cluster-spec.ts";
import { type BaseSpec, type BaseVersions, baseVersions } from "./base-versions.ts";
import { ringOf } from "./rings.ts";

export interface HoldBackInput {
  readonly spec: ClusterSpec;
  /** The last release whose rollout ended well. */
  readonly base: BaseSpec;
  /** `placedNow` of the snapshot. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  /** Where everything is to be in the end: `placeUnits`, by the new spec. */
  readonly wanted: readonly Placement[];
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
  readonly rings: readonly Ring[];
  /** The first so many are open. Above `rings.length` all are, also to machines in none. */
  readonly openRings: number;
  readonly sha256: Sha256;
}

/**
 * What is to be on each machine while only the first rings are open. A ring says which version its machines have, not where units are: a
 * unit that moves for any reason moves, and on the machine of a closed ring it is as the base has it. There,
 *
 * 1. a unit that has the new version already keeps it;
 * 2. one the base does not have is not started yet, and stays as it is placed where an earlier release brought it;
 * 3. one the new spec has no more stays;
 * 4. where nobody can read the base, what is placed stays as it is, and newcomers get the new version.
 *
 * Nothing is stopped by this that `wanted` has. Sorted as `wanted` is: by unit, then machine.
 */
export function holdBack(input: HoldBackInput): readonly Placement[] {
  const { base, before, wanted, machines, rings, openRings, sha256 } = input;
  const closed = new Set(machines.filter((machine) => ringOf(rings, machine) >= openRings).map(({ id }) => id));
  if (closed.size === 0) return wanted;
  const versions = baseVersions(base, machines, sha256);
  const globals = new Set(input.spec.units.filter(({ options }) => options.global).map(({ name }) => name));
  const held = wanted.flatMap((placement): readonly Placement[] => {
    if (!closed.has(placement.machine)) return [placement];
    const placed = before.get(placement.unit)?.find(({ machine }) => machine === placement.machine) ?? null;
    return heldVersion(placement, placed, versions, globals.has(placement.unit));
  });
  return [...held, ...goneUnits(input, closed, versions)].sort(
    (a, b) => compareText(a.unit, b.unit) || compareText(a.machine, b.machine),
  );
}

function heldVersion(
  placement: Placement,
  placed: PlacedSide | null,
  versions: BaseVersions,
  isGlobal: boolean,
): readonly Placement[] {
  if (placed?.hash === placement.hash && placed.goal === placement.goal) return [placement];
  if (!versions.isKnown) return placed === null ? [placement] : [asPlaced(placement, placed)];
  const unit = versions.unit(placement.unit);
  if (unit === null) return placed === null ? [] : [asPlaced(placement, placed)];
  // It was one of its kind, and is not multiplied in a version that did not expect it.
  if (isGlobal && !unit.options.global && placed === null) return [];
  return [{ ...placement, ...versions.on(placement.unit, placement.machine)! }];
}

/** `inactive` is said to a machine that a unit leaves: one that is to stay there after all is as it is wanted. */
function asPlaced(placement: Placement, { hash, goal }: PlacedSide): Placement {
  return { ...placement, hash, goal: goal === "inactive" ? placement.goal : goal };
}

/** What is on machines of closed rings and is in the new spec no more. */
function goneUnits(
  { spec, before, wanted }: HoldBackInput,
  closed: ReadonlySet<MachineId>,
  versions: BaseVersions,
): readonly Placement[] {
  const units = new Set([
    ...spec.units.filter(({ goal }) => goal !== "inactive").map(({ name }) => name),
    ...wanted.map(({ unit }) => unit),
  ]);
  return [...before].flatMap(([unit, sides]) => {
    if (units.has(unit)) return [];
    return sides.flatMap(({ machine, hash, goal }): readonly Placement[] => {
      if (!closed.has(machine)) return [];
      const version = versions.on(unit, machine) ?? { hash, goal };
      return version.goal === "inactive" ? [] : [{ unit, machine, ...version, reason: { code: "stayed" } }];
    });
  });
}
