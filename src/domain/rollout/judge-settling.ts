import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { SpecUnit } from "../spec/cluster-spec.ts";
import { isOneshot } from "../tasks/is-oneshot.ts";
import type { ReplicaState, RolloutChange, RolloutInput } from "./plan-rollout.ts";

/** A replica that was changed in a wave, and since when it has been up without a break; null while it is not. By the leader's clock. */
export interface Settling {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly hash: UnitHash;
  readonly upSinceMs: number | null;
}

/**
 * A service is up before it fails: `Type=simple` is active before its program is even read. So what a wave changed counts as settled
 * only after `minHealthyTime` without a break. An engine that took over knows of none, and takes what is up for settled.
 */
export function judgeSettling(
  settling: readonly Settling[],
  { spec, before, isAway, stateOf }: Pick<RolloutInput, "spec" | "before" | "isAway" | "stateOf">,
  nowMs: number,
): { readonly settling: readonly Settling[]; readonly stateOf: RolloutInput["stateOf"] } {
  const units = new Map(spec.units.map((unit) => [unit.name, unit]));
  const still = settling.flatMap((one): Settling[] => {
    const unit = units.get(one.unit);
    if (unit === undefined || isAway(one.machine) || !isThere(one, before)) return [];
    if (stateOf(one.unit, one.machine) !== "up") return [{ ...one, upSinceMs: null }];
    const upSinceMs = one.upSinceMs ?? nowMs;
    return nowMs - upSinceMs >= healthyTimeMs(unit) ? [] : [{ ...one, upSinceMs }];
  });
  const keys = new Set(still.filter((one) => one.upSinceMs !== null).map((one) => `${one.unit}/${one.machine}`));
  const judged = (unit: UnitName, machine: MachineId): ReplicaState =>
    keys.has(`${unit}/${machine}`) ? "settling" : stateOf(unit, machine);
  return { settling: still, stateOf: judged };
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

/** Only what is meant to stay up is watched for it: a oneshot, a timer or a mount is as it should be at once. */
function healthyTimeMs(unit: SpecUnit): number {
  const isLongRunning = unit.goal === "launched" && unit.service.endsWith(".service") && !isOneshot(unit);
  return isLongRunning ? unit.rollout.minHealthyTimeMs : 0;
}
