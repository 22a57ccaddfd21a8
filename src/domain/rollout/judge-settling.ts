import { mustSettle } from "../cluster/health-table.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ClusterSpec, SpecUnit } from "../spec/cluster-spec.ts";
import { unitsByName } from "../spec/units-by-name.ts";
import type { ReplicaState, RolloutChange, RolloutInput } from "./plan-rollout.ts";

/** A replica that was changed in a wave, and since when it has been up without a break; null while it is not. By the leader's clock. */
export interface Settling {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly hash: UnitHash;
  readonly upSinceMs: number | null;
  /** The run that is up since then, as systemd names it. Absent: not known yet. */
  readonly invocation?: string;
}

type SettlingInput = Pick<RolloutInput, "spec" | "before" | "isAway" | "stateOf"> & {
  /** What systemd calls the run that its machine told of last; empty where nothing was told. */
  readonly invocationOf: (unit: UnitName, machine: MachineId) => string;
};

/**
 * A service is up before it fails: `Type=simple` is active before its program is even read. So what a wave changed counts as settled
 * only after `minHealthyTime` up without a break, in one and the same run: a service that systemd has started again is up, between
 * two looks even up all the time, and has begun anew. An engine that took over knows of none, and takes what is up for settled.
 */
export function judgeSettling(
  settling: readonly Settling[],
  { spec, before, isAway, stateOf, invocationOf }: SettlingInput,
  nowMs: number,
): { readonly settling: readonly Settling[]; readonly stateOf: RolloutInput["stateOf"] } {
  if (settling.length === 0) return { settling, stateOf };
  const units = unitsByName(spec.units);
  const still: Settling[] = [];
  for (const one of settling) {
    const { machine, hash, invocation: known } = one;
    const unit = units.get(one.unit);
    if (unit === undefined || isAway(machine) || !isThere(one, before)) continue;
    if (stateOf(one.unit, machine) !== "up") {
      const isDown = one.upSinceMs === null && known === undefined;
      still.push(isDown ? one : { unit: one.unit, machine, hash, upSinceMs: null });
      continue;
    }
    const invocation = invocationOf(one.unit, machine);
    const isSameRun = known === undefined || known === invocation;
    const upSinceMs = isSameRun ? (one.upSinceMs ?? nowMs) : nowMs;
    if (nowMs - upSinceMs >= settlingTimeMs(unit)) continue;
    // Of a thousand that come up, most are as they were at the last look.
    const isSame = one.upSinceMs === upSinceMs && known === invocation;
    still.push(isSame ? one : { unit: one.unit, machine, hash, upSinceMs, invocation });
  }
  const up = new Map<UnitName, MachineId[]>();
  for (const { unit, machine, upSinceMs } of still) {
    if (upSinceMs === null) continue;
    const others = up.get(unit);
    if (others === undefined) up.set(unit, [machine]);
    else others.push(machine);
  }
  const judged = (unit: UnitName, machine: MachineId): ReplicaState =>
    up.get(unit)?.includes(machine) === true ? "settling" : stateOf(unit, machine);
  return { settling: still, stateOf: judged };
}

/**
 * When the first of them, or when all have been up for long enough, if they stay up: by the leader's clock; infinite where nothing comes of
 * time alone.
 */
export function settledAtMs(
  settling: readonly Settling[],
  { units }: Pick<ClusterSpec, "units">,
  awaited: "first" | "all",
): number {
  if (settling.length === 0) return Number.POSITIVE_INFINITY;
  const known = unitsByName(units);
  const times = settling.map(({ unit: name, upSinceMs }) => {
    const unit = known.get(name);
    if (upSinceMs === null) return Number.POSITIVE_INFINITY;
    return upSinceMs + (unit === undefined ? 0 : settlingTimeMs(unit));
  });
  return times.reduce((a, b) => (awaited === "first" ? Math.min(a, b) : Math.max(a, b)));
}

/** What has to settle after these changes were made. */
export function settlingAfter(made: readonly RolloutChange[]): readonly Settling[] {
  return made.flatMap(({ unit, effect, to }) =>
    to === null || !STARTS.has(effect) ? [] : [{ unit, machine: to.machine, hash: to.hash, upSinceMs: null }],
  );
}

const STARTS: ReadonlySet<RolloutChange["effect"]> = new Set(["start", "restart", "move"]);

function isThere({ unit, machine, hash }: Settling, before: ReadonlyMap<UnitName, readonly PlacedSide[]>): boolean {
  return before.get(unit)?.some((side) => side.machine === machine && side.hash === hash) === true;
}

/** Milliseconds for which it must stay up, in one run, to count as up. */
function settlingTimeMs(unit: SpecUnit): number {
  return mustSettle(unit, unit.goal) ? unit.rollout.minHealthyTimeMs : 0;
}
