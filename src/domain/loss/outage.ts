import type { MachineId } from "../names.ts";
import type { LossThresholds } from "./damping.ts";
import type { Absence, KnownOutage } from "./loss-history.ts";
import type { Outage } from "./loss-verdict.ts";
import type { Sighting } from "./sighting.ts";

export interface OutageInput {
  /** The outage of the last look, or null. */
  readonly known: KnownOutage | null;
  readonly machines: readonly Sighting[];
  readonly absences: ReadonlyMap<MachineId, Absence>;
  readonly nowMs: number;
  readonly thresholds: LossThresholds;
}

/** `full`: nobody is there. `partial`: so many that were there are missing. Null: it is no outage, or no more. */
export function judgeOutage(input: OutageInput): { readonly known: KnownOutage; readonly outage: Outage } | null {
  const { machines, known, nowMs } = input;
  const present = machines.filter((machine) => machine.present);
  if (machines.length > 0 && present.length === 0) return fullOutage(input);
  const missing = missingIn(input);
  const of = present.filter(({ drained }) => !drained).length + missing.length;
  if (!isOutage(missing.length, of, input.thresholds)) return null;
  const sinceMs = known?.sinceMs ?? nowMs;
  const endsAt = lastBelow(of, missing.length, input.thresholds);
  return { known: { kind: "partial", sinceMs }, outage: { sinceMs, missing, of, endsAt } };
}

function fullOutage({ known, machines, nowMs }: OutageInput): ReturnType<typeof judgeOutage> {
  const sinceMs = known?.sinceMs ?? nowMs;
  const missing = machines.map(({ machine }) => machine);
  return {
    known: { kind: "full", sinceMs },
    outage: { sinceMs, missing, of: missing.length, endsAt: missing.length - 1 },
  };
}

/** The threshold itself, from both sides the same arithmetic: whole numbers, nothing rounded. */
export function isOutage(missing: number, of: number, { outageAtPercent, outageMin }: LossThresholds): boolean {
  return missing >= outageMin && missing * 100 >= of * outageAtPercent;
}

/**
 * Those that fell silent together: within the window, or, once it is an outage, from shortly before it on, whatever time passes. Whoever
 * is drained was to go, or will not come back: that is how a person ends an outage. Whoever was absent at the first look may have gone in the same moment or a year ago: it counts while units
 * are on it that would move, for after a loss that somebody dealt with there are none.
 */
function missingIn({ known, machines, absences, nowMs, thresholds }: OutageInput): MachineId[] {
  const fromMs = (known?.sinceMs ?? nowMs) - thresholds.outageWindowMs;
  return machines
    .filter(({ machine, drained, stakes }) => {
      const absence = absences.get(machine);
      if (absence === undefined || drained) return false;
      return absence.sinceMs > fromMs && (absence.seenGoing || stakes.size > 0);
    })
    .map(({ machine }) => machine);
}

function lastBelow(of: number, missing: number, thresholds: LossThresholds): number {
  let left = missing;
  while (left > 0 && isOutage(left, of, thresholds)) left -= 1;
  return left;
}
