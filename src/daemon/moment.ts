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
  /** What restarts of machines depend on. */
  readonly reboots: string;
  /** `changes` of who waits to be listed, which is told and decides nothing. */
  readonly unlisted: number;
  /** As `unlisted`, of what becomes of the branch. */
  readonly sync: number;
}

/** Whether a pass now would decide what the one before did: then it need not be made. */
export function isSameMoment(a: Moment, b: Moment): boolean {
  return (
    a.snapshot === b.snapshot &&
    a.mandate === b.mandate &&
    a.lease === b.lease &&
    a.statuses === b.statuses &&
    a.reboots === b.reboots &&
    a.unlisted === b.unlisted &&
    a.sync === b.sync &&
    isSameValue(a.verdict, b.verdict, "history")
  );
}

/** Value by value: a verdict is made anew each time. History is what the judge alone reads. */
function isSameValue(a: unknown, b: unknown, except?: keyof LossVerdict): boolean {
  if (a === b) return true;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return false;
  // In their own order, which is the same for two verdicts that are: the domain's outputs are sorted.
  if (a instanceof Map || a instanceof Set) return isSameValue([...a], [...(b as typeof a)]);
  const keys = Object.keys(a) as (keyof typeof a)[];
  const theirs = Object.keys(b);
  return (
    keys.length === theirs.length &&
    keys.every((key, index) => key === theirs[index] && (key === except || isSameValue(a[key], b[key])))
  );
}
