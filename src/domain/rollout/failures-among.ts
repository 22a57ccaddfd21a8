import { unitsByName } from "../spec/units-by-name.ts";
import { type Ailment, keyOf, type RolloutSight } from "./judge-rollout.ts";
import type { RolloutFailure } from "./rollout-record.ts";

/** By replica that was changed and is not healthy, for how long this leader has seen it so, in milliseconds. */
export type Waited = ReadonlyMap<string, Wait>;

export interface Wait {
  readonly unhealthyMs: number;
  /** For how long of that it has looked as if it had ended, up to now and without a break; null: it does not. */
  readonly endedMs: number | null;
}

/**
 * Between the order to start and its start a unit looks as if it had ended, however long its stop took before: long against an agent's
 * pass, short against a deadline. Milliseconds.
 */
const ENDED_AFTER_MS = 10_000;

/**
 * Replicas that were changed and will not come, sorted as they are given. A deadline is counted from the later of the change and this
 * leader's first look at it, in durations of its own clock (protocol rule 30): whoever takes over gives more time, never less.
 */
export function failuresAmong(
  sight: Pick<
    RolloutSight,
    "record" | "waited" | "spec" | "changed" | "stateOf" | "isAway" | "ailmentOf" | "elapsedMs"
  >,
): { readonly failures: readonly RolloutFailure[]; readonly waited: Waited } {
  const { record, changed, stateOf, isAway, ailmentOf, elapsedMs } = sight;
  const excused = new Set((record.excused ?? []).map(keyOf));
  const units = unitsByName(sight.spec.units);
  const failures: RolloutFailure[] = [];
  const waited = new Map<string, Wait>();
  for (const { unit, machine } of changed) {
    const state = stateOf(unit, machine);
    if (state === "up" && !isAway(machine)) continue;
    const key = keyOf({ unit, machine });
    if (excused.has(key)) continue;
    const before = sight.waited.get(key);
    // Of what nobody sees time does not count.
    if (isAway(machine) || state === "unknown") {
      if (before !== undefined) waited.set(key, before);
      continue;
    }
    const ailment = ailmentOf(unit, machine);
    if (ailment.kind === "fetching") {
      waited.set(key, { unhealthyMs: before?.unhealthyMs ?? 0, endedMs: null });
      continue;
    }
    const since = (ms: number | null | undefined) => (ms == null ? 0 : ms + elapsedMs);
    const wait: Wait = {
      unhealthyMs: since(before?.unhealthyMs),
      endedMs: ailment.kind === "ended" ? since(before?.endedMs) : null,
    };
    waited.set(key, wait);
    const because = reasonOf(ailment, wait, units.get(unit)?.rollout.healthDeadlineMs ?? Number.POSITIVE_INFINITY);
    if (because !== null) failures.push({ unit, machine, because });
  }
  return { failures, waited };
}

function reasonOf(
  { kind, detail }: Ailment,
  { unhealthyMs, endedMs }: Wait,
  deadlineMs: number,
): RolloutFailure["because"] | null {
  if (kind === "failed" || (endedMs !== null && endedMs >= ENDED_AFTER_MS)) return { code: "failed", detail };
  return unhealthyMs >= deadlineMs ? { code: "deadline", afterMs: deadlineMs, detail } : null;
}
