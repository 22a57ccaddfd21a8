import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../names.ts";
import type { Placement, PlacementReason, Unplaced } from "../placement/placement.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";

/** Plans of other rules are refused: the same inputs might be placed elsewhere. Raise it with every change of a decision. */
export const RULES_VERSION = 1;

/**
 * Ordered changes from one snapshot to one spec, with no choices left in it. `planId` hashes the whole document,
 * `contentId` only what it does: spec, changes, placements and waves; no commit, no revision, no reason.
 */
export interface Plan {
  readonly v: 1;
  readonly rules: number;
  readonly cluster: string;
  /** The cluster record's id, or null where there is no cluster yet. */
  readonly clusterId: string | null;
  readonly commit: CommitId;
  readonly specHash: SpecHash;
  readonly base: PlanBase;
  readonly machines: readonly { readonly id: MachineId; readonly name: string }[];
  /** Worst first, as `CHANGE_ACTIONS` has them, then by unit and machine. */
  readonly changes: readonly Change[];
  readonly placements: readonly Placement[];
  readonly unplaced: readonly Unplaced[];
  /** Until rollouts land: one wave of every change. */
  readonly waves: readonly Wave[];
  readonly counts: PlanCounts;
  /** Units that would run, where nobody can say: there is no machine yet. Sorted; empty once there is one. */
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

/**
 * What happens to a unit on a machine; worst first. `remove`: gone from the commit. `stop`: the commit keeps it and it no
 * longer runs here. `load`: its files come or change and nothing is started.
 */
export type ChangeAction = (typeof CHANGE_ACTIONS)[number];
export const CHANGE_ACTIONS = ["remove", "move", "restart", "stop", "start", "load", "adopt"] as const;

export interface Change {
  readonly action: ChangeAction;
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
  | { readonly code: "gone-from-commit" }
  | { readonly code: "goal-changed" }
  | { readonly code: "files-changed" }
  | { readonly code: "moved"; readonly placed: PlacementReason }
  | { readonly code: "machine-joined" }
  | { readonly code: "no-longer-fits" };

export interface Wave {
  readonly changes: readonly { readonly unit: UnitName; readonly machine: MachineId }[];
}

/**
 * How many changes of each action, and how many placements stay as they are: every change is counted once, and every
 * placement is the `to` of one change or unchanged. A global unit counts once a machine. `unplaced` counts units.
 */
export interface PlanCounts {
  readonly start: number;
  readonly load: number;
  readonly restart: number;
  readonly move: number;
  readonly stop: number;
  readonly remove: number;
  readonly adopt: number;
  readonly unchanged: number;
  readonly unplaced: number;
}
