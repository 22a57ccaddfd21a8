import type { Machine } from "../cluster/machine.ts";
import type { MachineId } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec, Window } from "../spec/cluster-spec.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import { type Admissible, admissible } from "./admissible.ts";
import { baseVersions } from "./base-versions.ts";
import { holdBack } from "./hold-back.ts";
import { holdStill } from "./hold-still.ts";
import { isBaked, type RingGates } from "./judge-rollout.ts";
import type { CanaryInput } from "./plan-rollout.ts";
import { ringCount, ringOf } from "./rings.ts";
import type { RolloutPhase, RolloutRecord } from "./rollout-record.ts";
import type { VersionSight } from "./version-sight.ts";
import { isOpen } from "./window.ts";

/** Phases in which no version changes. */
const STANDS_STILL: ReadonlySet<RolloutPhase> = new Set(["held", "paused", "aborted"]);

export interface GatesInput extends VersionSight {
  readonly record: RolloutRecord;
  readonly wanted: readonly Placement[];
  /** Milliseconds since 1970, by the engine's wall clock: windows are people's times. */
  readonly wallMs: number;
}

/**
 * What may be on each machine by now: what rings that are not open yet keep is as the base has it, and where the rollout stands still, in
 * whole or in a ring whose window has closed, versions stay as they are; and nobody comes to a machine where somebody minds who stays there.
 * On the way back, and once a rollout is over, everything is open.
 */
export function allowedNow(input: GatesInput): Admissible {
  const mixture = gated(input);
  if (mixture === input.wanted) return { placements: mixture, keptOut: [], isKeptOut: () => false };
  return admissible({ ...input, mixture });
}

function gated({ record, ...input }: GatesInput): readonly Placement[] {
  const { spec, machines, wallMs } = input;
  if (standsStill(record)) return holdStill({ ...input, isStill: () => true });
  const rings = spec.rings ?? [];
  if (record.phase !== "rolling" || rings.length === 0) return input.wanted;
  const gates = ringGates(spec, machines, openNow(wallMs));
  const wanted = holdBack({ ...input, rings, openRings: record.openRings });
  const isClosed = (machine: MachineId) => {
    const ring = gates.ringOf(machine);
    return ring < record.openRings && !gates.isOpen(ring);
  };
  return machines.some(({ id }) => isClosed(id)) ? holdStill({ ...input, wanted, isStill: isClosed }) : wanted;
}

/** Whether no version changes. */
export function standsStill({ phase }: Pick<RolloutRecord, "phase">): boolean {
  return STANDS_STILL.has(phase);
}

/** Which replicas of a rollout that goes on change first. On the way back, and while nothing changes, nobody waits for them. */
export function canariesNow({
  record,
  spec,
  base,
  machines,
  sha256,
}: Pick<GatesInput, "record" | "spec" | "base" | "machines" | "sha256">): { readonly canaries?: CanaryInput } {
  const setting = spec.units.filter(({ rollout }) => rollout.canary !== undefined);
  if (record.phase !== "rolling" || setting.length === 0) return {};
  const bakeMs = new Map<string, number>();
  for (const { name, rollout } of setting) {
    const set = replicaSetOf(name);
    bakeMs.set(set, Math.max(bakeMs.get(set) ?? 0, rollout.bakeMs ?? 0));
  }
  const isSetBaked = (set: string) => isBaked(record, set, bakeMs.get(set) ?? 0);
  return { canaries: { base: baseVersions(base, machines, sha256), machines, isBaked: isSetBaked } };
}

export function openNow(wallMs: number): (window: Window) => boolean {
  return (window) => isOpen(window, wallMs);
}

/** The rings of a commit, as they are judged. */
export function ringGates(
  spec: Pick<ClusterSpec, "rings">,
  machines: readonly Machine[],
  isWindowOpen: (window: Window) => boolean,
): RingGates {
  const rings = spec.rings ?? [];
  const known = new Map(machines.map((machine) => [machine.id, ringOf(rings, machine)]));
  return {
    count: ringCount(rings, machines),
    ringOf: (machine) => known.get(machine) ?? rings.length,
    soakMs: (ring) => rings[ring]?.soakMs ?? 0,
    isOpen: (ring) => {
      const window = rings[ring]?.window ?? null;
      return window === null || isWindowOpen(window);
    },
  };
}
