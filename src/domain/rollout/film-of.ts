import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { Ring } from "../spec/cluster-spec.ts";
import { admissible } from "./admissible.ts";
import { baseVersions } from "./base-versions.ts";
import { canaryGates } from "./canary-gates.ts";
import { holdBack } from "./hold-back.ts";
import { planRollout, type Rollout, type RolloutChange, type RolloutInput } from "./plan-rollout.ts";
import { ringCount, ringOf } from "./rings.ts";
import { rolloutSteps } from "./rollout-steps.ts";
import type { VersionSight } from "./version-sight.ts";
import type { BudgetRefusal, Wave, WaveGate } from "./wave.ts";

export interface FilmInput extends VersionSight {
  readonly wanted: readonly Placement[];
  /** What leads from some placements to others; asked for each ring, and for all at once where there are none. */
  readonly changesTo: (
    before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
    after: readonly Placement[],
  ) => readonly RolloutChange[];
}

/** A ring as a plan tells of it. */
export interface FilmRing {
  /** As it is written; null: the machines that are in none. */
  readonly name: string | null;
  readonly machines: number;
}

export interface Film extends Rollout {
  /** In the order in which they open; empty where the commit has none. */
  readonly rings: readonly FilmRing[];
}

/**
 * The waves of a whole rollout: ring after ring, each as `planRollout` makes its waves from what the ring before has left. A ring in which
 * nothing changes is passed over. A unit that moves to a machine whose ring is closed is in two waves: it moves at once, in the version it
 * has there, and changes when its ring opens. Every bake and every soak is taken for passed in its turn.
 */
export function filmOf(input: FilmInput): Film {
  const { spec, released, machines, wanted, sha256 } = input;
  const rings = spec.rings ?? [];
  const count = ringCount(rings, machines);
  const present = new Set(machines.filter((machine) => machine.presence === "present").map((machine) => machine.id));
  const isAway = (machine: MachineId) => !present.has(machine);
  const base = baseVersions(input.base, machines, sha256);
  const baked = new Set<string>();
  const waves: Wave[] = [];
  const refusals: BudgetRefusal[] = [];
  let before = input.before;
  let last: number | null = null;
  for (let ring = 0; ring < count; ring += 1) {
    const mixture = ring === count - 1 ? wanted : holdBack({ ...input, rings, before, openRings: ring + 1 });
    const after = mixture === wanted ? wanted : admissible({ ...input, before, mixture }).placements;
    const changes = input.changesTo(before, after);
    const stage: RolloutInput = {
      spec,
      released,
      before,
      after,
      changes,
      isAway,
      // What runs badly now is no part of what a plan reads.
      stateOf: () => "up",
      canaries: { base, machines, isBaked: (set) => baked.has(set) },
    };
    const part = planRollout(stage);
    refusals.push(...part.refusals.map((refusal) => ({ ...refusal, wave: refusal.wave + waves.length })));
    waves.push(...(rings.length === 0 ? part.waves : inRing(part.waves, ring, gateOf(rings, last, ring))));
    if (ring === count - 1) break;
    for (const { set } of canaryGates(rolloutSteps(stage), stage)) baked.add(set);
    if (changes.length > 0) last = ring;
    before = sidesOf(after);
  }
  return { waves, refusals, rings: rings.length === 0 ? [] : filmRings(rings, machines, count) };
}

function inRing(waves: readonly Wave[], ring: number, gate: WaveGate | null): readonly Wave[] {
  return waves.map((wave, index) => ({ ...wave, ring, ...(index === 0 && gate !== null ? { after: gate } : {}) }));
}

/** What passes before the first wave of a ring; null: nothing but the wave before. */
function gateOf(rings: readonly Ring[], last: number | null, ring: number): WaveGate | null {
  const ms = last === null ? 0 : (rings[last]?.soakMs ?? 0);
  const window = rings[ring]?.window?.text ?? null;
  return ms === 0 && window === null ? null : { kind: "soak", ring: last, ms, window };
}

function filmRings(rings: readonly Ring[], machines: readonly Machine[], count: number): readonly FilmRing[] {
  return Array.from({ length: count }, (_, index) => ({
    name: rings[index]?.name ?? null,
    machines: machines.filter((machine) => ringOf(rings, machine) === index).length,
  }));
}

function sidesOf(placements: readonly Placement[]): ReadonlyMap<UnitName, readonly PlacedSide[]> {
  const sides = new Map<UnitName, PlacedSide[]>();
  for (const { unit, machine, hash, goal } of placements) {
    const others = sides.get(unit);
    if (others === undefined) sides.set(unit, [{ machine, hash, goal }]);
    else others.push({ machine, hash, goal });
  }
  return sides;
}
