import type { CommitId, MachineId, SpecHash, UnitName } from "../names.ts";

/**
 * How far one release has come: `rollout/<seq>`, written by the leading engine only, and the memory of commits that failed (protocol
 * rule 5). Which units are changed is not in it: that is told by what is assigned. Times are durations of healthiness, counted by the
 * monotonic clocks of the engines that led meanwhile, never differences of two wall clocks (protocol rule 30).
 */
export interface RolloutRecord {
  readonly release: ReleaseId;
  /** The last release whose rollout ended well: what machines of later rings keep, and what a rollback goes back to. Null: there is none. */
  readonly base: ReleaseId | null;
  readonly phase: RolloutPhase;
  /** How many rings are open: 1 or more, also where the commit has none. */
  readonly openRings: number;
  /** Milliseconds for which all that was changed in the last open ring has been healthy. */
  readonly soakedMs: number;
  /** Of sets of replicas whose canaries are changed and healthy; sorted by set. */
  readonly bakes: readonly Bake[];
  /** What failed, first come first; of a rollout that is held, goes back or went back. At most FAILURES_MAX are kept. */
  readonly failures: readonly RolloutFailure[];
  /**
   * Replicas whose failure holds nothing: they had failed before this rollout began and are not started by it, or somebody said `resume` although
   * they failed. At most EXCUSED_MAX. Absent: none.
   */
  readonly excused?: readonly Replica[];
  /** Why what failed, and asked for it, was not rolled back. Absent: nobody asked, or it is. */
  readonly noWayBack?: "no-base" | "base-unreadable";
  /** The revision of the last order (`rollout-orders/<seq>`) that was carried out; 0: none. */
  readonly orderRevision: number;
  /** RFC 3339, by the engine's clock, for people: since when it is in this phase. */
  readonly since: string;
}

/** A unit on one machine. */
export interface Replica {
  readonly unit: UnitName;
  readonly machine: MachineId;
}

export interface ReleaseId {
  readonly seq: number;
  readonly commit: CommitId;
  readonly specHash: SpecHash;
}

/**
 * `rolling`: changes go on, wave after wave. `done`: everything is as the commit wants it and was healthy for as long as it asks.
 * `paused`, `aborted`: somebody said so; an aborted one never goes on. `held`: a change failed, nothing goes on before somebody says
 * `resume` or another commit comes. `rolling-back`, `rolled-back`: a change failed, and everything goes (has gone) back to `base`. A
 * commit that was rolled back is not tried again until a descendant arrives.
 */
export type RolloutPhase = "rolling" | "done" | "paused" | "aborted" | "held" | "rolling-back" | "rolled-back";

/** The canaries of one set of replicas. */
export interface Bake {
  /** As `WaveBudget.set`. */
  readonly set: string;
  readonly healthyForMs: number;
}

export interface RolloutFailure extends Replica {
  readonly because: RolloutFailureReason;
}

export type RolloutFailureReason =
  /** systemd or its agent says that it failed; in their words. */
  | { readonly code: "failed"; readonly detail: string }
  /** Not healthy within `healthDeadline`; `detail`: how it was then. */
  | { readonly code: "deadline"; readonly afterMs: number; readonly detail: string };

/** Names enough to know what is wrong; the record stays small. */
export const FAILURES_MAX = 20;

/** A record stays below 100 KiB; those beyond it are taken for failures of the rollout, which a person can end. */
export const EXCUSED_MAX = 500;

/** What somebody told a rollout (`fleet rollout`): `rollout-orders/<seq>`, written by people only. It only ever stops progress, or lets it go on. */
export interface RolloutOrder {
  readonly order: "pause" | "resume" | "abort";
  readonly by: string;
  /** RFC 3339, for people. */
  readonly at: string;
  /** Why, in the words of whoever gave it. Absent: nobody said. */
  readonly reason?: string;
}
