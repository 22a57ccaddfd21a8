import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { LossVerdict } from "../domain/loss/loss-verdict.ts";
import type { LeaseId } from "../ports/registry.ts";
import type { Mandate } from "./mandate-keeper.ts";

/** All that a leader's pass depends on, as long as it waits for nothing that time alone brings. */
export interface Moment {
  /** The same value as long as nothing in the registry changes. */
  readonly snapshot: ClusterSnapshot;
  readonly mandate: Mandate;
  readonly verdict: LossVerdict;
  readonly lease: LeaseId;
  /** `changes` of the statuses, where something waits for one; null: they decide nothing. */
  readonly statuses: number | null;
}

/** Whether a pass now would decide what the one before did: then it need not be made. */
export function isSameMoment(a: Moment, b: Moment): boolean {
  return (
    a.snapshot === b.snapshot &&
    a.mandate === b.mandate &&
    a.lease === b.lease &&
    a.statuses === b.statuses &&
    isSameVerdict({ ...a.verdict, history: null }, { ...b.verdict, history: null })
  );
}

/** Value by value: a verdict is made anew each time. History is what the judge alone reads. */
function isSameVerdict(a: unknown, b: unknown): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  const [ours, theirs] = [partsOf(a), partsOf(b)];
  return ours.length === theirs.length && ours.every((part, index) => isSameVerdict(part, theirs[index]));
}

/** In their own order, which is the same for two verdicts that are: the domain's outputs are sorted. */
function partsOf(value: object): readonly unknown[] {
  if (Array.isArray(value)) return value;
  if (value instanceof Map || value instanceof Set) return [...value];
  return Object.entries(value).flat();
}
