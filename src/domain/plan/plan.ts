import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../names.ts";
import type { Placement, PlacementReason, Unplaced } from "../placement/placement.ts";
import type { FilmRing } from "../rollout/film-of.ts";
import type { BudgetRefusal, Wave } from "../rollout/wave.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { EffectCause } from "../unit/unit-effect.ts";

/** Plans of other rules are refused: the same inputs might be decided otherwise. Raise it with every change of a decision. */
export const RULES_VERSION = 5;
/** Of the document: a minor step adds fields, a major one breaks readers. */
export const PLAN_FORMAT = "1.0";

/**
 * Ordered changes from one snapshot to one spec, with no choices left in it. `planId` hashes the whole document,
 * `contentId` only what it decides: spec, changes and placements; no commit, no revision, no reason, and neither effects nor waves:
 * these follow from the old texts, and a clone may not have them.
 */
export interface Plan {
  /** `PLAN_FORMAT` of the fleet that made it; of the same major version. */
  readonly format_version: `1.${number}`;
  readonly rules: number;
  readonly cluster: string;
  /** The cluster record's id, or null where there is no cluster yet. */
  readonly clusterId: string | null;
  readonly commit: CommitId;
  readonly specHash: SpecHash;
  readonly base: PlanBase;
  /** As the deciders saw them; sorted by name. */
  readonly machines: readonly PlanMachine[];
  /** Worst effect first, as `EFFECTS` has them, then by unit and machine. */
  readonly changes: readonly Change[];
  readonly placements: readonly Placement[];
  readonly unplaced: readonly Unplaced[];
  /** What changes together, one wave after another. */
  readonly waves: readonly Wave[];
  /** Waves that would leave a set of replicas worse than its budget and worse than now: they forbid an apply. */
  readonly refusals: readonly BudgetRefusal[];
  /** In the order in which the commit reaches them. Absent: all machines at once. */
  readonly rings?: readonly FilmRing[];
  readonly counts: PlanCounts;
  /** Units that would run, where nobody can say where: there is no machine yet. Sorted; empty once there is one. */
  readonly unknown: readonly UnitName[];
  /** A view of part of it (`--only`, `--worktree` …) that cannot be applied; says which. */
  readonly partial: string | null;
  readonly contentId: string;
  readonly planId: string;
}

/** What the deciders read, digested: a plan whose basis moved is stale. */
export interface PlanBase {
  readonly releaseSeq: number;
  readonly releaseCommit: CommitId | null;
  /** `basisOf` the snapshot. */
  readonly basis: string;
}

/** Enough of a machine to say later what has moved since. */
export interface PlanMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly present: boolean;
  readonly metadata: Readonly<Record<string, string>>;
}

/** What happens to a placement. `remove` also of a unit that the commit keeps and that no longer runs here. */
export type ChangeAction = (typeof CHANGE_ACTIONS)[number];
export const CHANGE_ACTIONS = ["remove", "move", "change", "add", "adopt"] as const;

/** What happens to what runs; worst first. `quiet`: nothing, also where a unit is added that is not to be started. */
export type Effect = (typeof EFFECTS)[number];
export const EFFECTS = ["stop", "move", "restart", "reload", "daemon-reload", "start", "adopt", "quiet"] as const;

export interface Change {
  readonly action: ChangeAction;
  readonly effect: Effect;
  readonly unit: UnitName;
  /** Where it was: null for what is new. */
  readonly from: Side | null;
  /** Where it will be: null for what goes. */
  readonly to: Side | null;
  readonly reason: ChangeReason;
}

export interface Side {
  readonly machine: MachineId;
  readonly hash: UnitHash;
  readonly goal: UnitGoal;
}

export type ChangeReason =
  | { readonly code: "new-unit"; readonly placed: PlacementReason }
  /**
   * New to the cluster, and running here already: taken over if its definition amounts to ours, else reported as a conflict. `others` are
   * the further machines that run a unit of this name; sorted.
   */
  | { readonly code: "runs-here"; readonly others: readonly MachineId[] }
  | { readonly code: "gone-from-commit" }
  | { readonly code: "goal-changed" }
  /** `causes` are the directives that differ, worst first; null where the old text is not known here, which means restart. */
  | { readonly code: "files-changed"; readonly causes: readonly EffectCause[] | null }
  /** systemd stops it with that unit; nothing else of it need change: then `from` and `to` are the same. */
  | { readonly code: "restart-with"; readonly unit: UnitName }
  /** The same, and it needs that unit, which the commit removes: it does not come back. */
  | { readonly code: "stopped-with"; readonly unit: UnitName }
  | { readonly code: "moved"; readonly placed: PlacementReason }
  | { readonly code: "machine-joined" }
  | { readonly code: "no-longer-fits" };

/**
 * How many changes of each action and of each effect, and how many placements stay as they are: every change is counted once, and every
 * placement is the `to` of one change or unchanged. A global unit counts once a machine. `unplaced` counts units.
 */
export interface PlanCounts {
  readonly actions: Readonly<Record<ChangeAction, number>>;
  readonly effects: Readonly<Record<Effect, number>>;
  /** Files of the repository that are new, other or gone; null where the release's are not known here. */
  readonly files: number | null;
  readonly unchanged: number;
  readonly unplaced: number;
}
