import type { UnitName } from "../names.ts";
import type { BrokenReference } from "./broken-references.ts";
import type { Drift } from "./find-drift.ts";
import type { ImageChange } from "./image-changes.ts";
import type { Plan } from "./plan.ts";
import type { PlanVerdict } from "./plan-verdict.ts";
import type { PlannedTrial } from "./planned-trials.ts";
import type { StoppedRelease } from "./stopped-release.ts";
import type { WhatIf } from "./what-if.ts";

/**
 * A plan and what can be said beside it. Only the plan is saved and has an identity: the rest is seen, not decided, and a unit that
 * crashes while somebody reviews makes it no other plan. Of a plan read from a file nothing else is known.
 */
export interface PlanReport {
  readonly plan: Plan;
  /** The registry's revision it was read at; 0 without one. */
  readonly revision: number;
  readonly verdict: PlanVerdict | null;
  /** The losses somebody asked about: that of some machines at once, then that of each machine in turn. */
  readonly whatIf: readonly WhatIf[];
  /** What differs from what it should be already now, whatever this commit changes. */
  readonly drift: readonly Drift[];
  /** What units of this commit name, and it removes. */
  readonly broken: readonly BrokenReference[];
  /** Units that no machine could ever hold, and that are not so already under the release in force. Sorted. */
  readonly newlyUnplaceable: readonly UnitName[];
  /** Changes that their machines undo by themselves where they cannot be reached after them. */
  readonly trials: readonly PlannedTrial[];
  /** What containers are to run otherwise than under the release in force. Absent: nothing is known of it. */
  readonly images?: readonly ImageChange[];
  /** The release in force, where its rollout ended before its end. Absent: it did not. */
  readonly stopped?: StoppedRelease;
}
