import { invariant } from "../invariant.ts";

/** Room for revisions below the epoch: a thousand writes a second reach it after thirty years, and the whole stays exact below 2^53. */
const REVISIONS_MAX = 1e12;

/**
 * What a unit that runs at most once shows to whom it writes to, as `FLEET_FENCE_TOKEN`: the revision at which it was assigned to its
 * machine. Each later assignment has a greater one, also after the registry was replaced (its epoch is greater then), so a storage
 * system that remembers the greatest can refuse who comes from before. Decimal digits.
 */
export function fenceToken(epoch: number, revision: number): string {
  invariant(revision > 0 && revision < REVISIONS_MAX, `revision ${revision} makes no fence token`);
  return String(epoch * REVISIONS_MAX + revision);
}
