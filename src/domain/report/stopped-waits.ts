import { keyOf } from "../rollout/judge-rollout.ts";
import type { Replica, RolloutRecord } from "../rollout/rollout-record.ts";
import type { WaitingFor, WaveBlocker } from "./engine-report.ts";

/** As of the waits of a rollout that goes on. */
const UNITS_NAMED_MAX = 10;
const BLOCKERS_NAMED_MAX = 5;

/** What a rollout that stands still leaves as it is: it waits for what failed, or (none) for somebody's word. */
export function stoppedWaits({ phase, failures }: RolloutRecord, left: readonly Replica[]): readonly WaitingFor[] {
  if (left.length === 0 || (phase !== "held" && phase !== "paused" && phase !== "aborted")) return [];
  const failed = new Set(failures.map(keyOf));
  // Other copies of a global unit wait for the one that failed.
  const units = [...new Set(left.filter((one) => !failed.has(keyOf(one))).map(({ unit }) => unit))].sort();
  if (units.length === 0) return [];
  const blockers = failures
    .slice(0, BLOCKERS_NAMED_MAX)
    .map(({ unit, machine }): WaveBlocker => ({ unit, machine, state: "down" }));
  const more = Math.max(0, units.length - UNITS_NAMED_MAX);
  return [{ code: "wave", units: units.slice(0, UNITS_NAMED_MAX), more, for: blockers }];
}
