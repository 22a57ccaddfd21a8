import type { RegistryMark } from "../fencing/judge-replaced.ts";
import type { NodeKey } from "../identity/node-key.ts";
import type { RebootState } from "../locks/reboot.ts";
import type { GracesOver, LossHold, LossMode, LossWait, MachineVerdict } from "../loss/loss-verdict.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacementReason, RejectReason, Unplaced } from "../placement/placement.ts";
import type { ReplicaState } from "../rollout/plan-rollout.ts";
import type { RolloutReport } from "./rollout-report.ts";
import type { SyncReport } from "./sync-report.ts";

/** What a leading engine says of its last pass: for people, never for deciding. Lists are cut, see `boundReport`. */
export interface EngineReport {
  readonly leader: string;
  /** RFC 3339: when it began to lead. An older engine does not say. */
  readonly since?: string;
  readonly releaseSeq: number;
  /** Why it places nothing, or null. */
  readonly problem: string | null;
  /** How far the registry had come, by an engine that does not lead because this one has not. */
  readonly known?: RegistryMark;
  /** Sorted by group. */
  readonly unplaced: readonly UnplacedGroup[];
  /** Machines that are not there; not there where there are none, and in an older engine's report. */
  readonly absent?: readonly AbsentMachine[];
  /** What it will do once something else has happened; absent: nothing. */
  readonly waits?: readonly EngineWait[];
  /** Machines that should have let a unit go by now; sorted by unit. Absent: none. */
  readonly stuckHandOffs?: readonly StuckHandOff[];
  /** Machines to which nothing new comes by the commit's word; sorted by name. Absent: none. */
  readonly closed?: readonly ClosedMachine[];
  /** Units that are elsewhere than the release's plan said; sorted by unit. Absent: none. */
  readonly deviations?: readonly Deviation[];
  /** How many more there are of a list than it names. Absent: none of any. */
  readonly more?: Readonly<Partial<Record<ReportList, number>>>;
  /** What it makes of machines that are missing or come and go; absent: all are there and well. */
  readonly loss?: LossReport;
  /** Machines that have a slot to restart; sorted by machine. Absent: none. */
  readonly reboots?: readonly RebootState[];
  /** Machines that dial this engine and that git does not list; sorted by machine, a few at most. Absent: none. */
  readonly unlisted?: readonly UnlistedMachine[];
  /** How far the rollout of its release is. Absent: it is done or has only begun, or an older engine leads. */
  readonly rollout?: RolloutReport;
  /** What it makes of the branch, where it follows it. Absent: the branch is what is in force, or another driver makes releases. */
  readonly sync?: SyncReport;
}

/** Lists of a report that are cut. */
export type ReportList = "unplaced" | "absent" | "waits" | "stuckHandOffs" | "closed" | "deviations" | "machines";

/** A `LossVerdict` in the time of people. Times are RFC 3339, whole seconds, by the engine's clock. */
export interface LossReport {
  readonly mode: LossMode;
  /** While it is an outage: nothing moves. */
  readonly outage: {
    readonly since: string;
    readonly missing: number;
    readonly of: number;
    readonly endsAt: number;
  } | null;
  readonly hold: { readonly because: LossHold["because"]; readonly until: string } | null;
  /** Those that are missing, and those that flap; sorted by machine. */
  readonly machines: readonly LostMachine[];
  /** What has moved lately, and how much may; null: nothing has. */
  readonly budget: { readonly unitsSpent: number; readonly unitsMax: number; readonly machines: number } | null;
}

export interface LostMachine {
  readonly machine: MachineId;
  readonly presence: MachineVerdict["presence"];
  /** Of one that is lost: which graces are over, so that those units go. Absent: of any other. */
  readonly graces?: GracesOver;
  /** What it waits for before its units go elsewhere; `until`: when that ends if nothing else happens. */
  readonly waits: { readonly code: LossWait["code"]; readonly until: string | null } | null;
  readonly flapping: { readonly losses: number; readonly until: string; readonly cordons: boolean } | null;
}

/** `since` as of `AbsentMachine`; an older engine does not say. */
export type UnplacedGroup = Unplaced & { readonly since?: string };

/** What it says of itself and its key, for the stanza that lets it in. `since` as of `AbsentMachine`. */
export interface UnlistedMachine {
  readonly machine: MachineId;
  readonly key: NodeKey;
  readonly since: string;
}

/** `since`: RFC 3339, by the engine's clock, for people: when it first saw it so, which may be later than it was. */
export interface AbsentMachine {
  readonly machine: MachineId;
  readonly since: string;
}

/**
 * A unit whose machine takes longer to stop it than its text allows. It is waited for as before: what may run is started nowhere else.
 * `since` as of `AbsentMachine`: when it was first waited for.
 */
export interface StuckHandOff {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly since: string;
}

export interface ClosedMachine {
  readonly machine: MachineId;
  readonly because: "not-admitted" | "drained" | "cordoned";
  /** What is on a drained one once everything that may move has moved, by why. */
  readonly stays: readonly Staying[];
}

export interface Staying {
  readonly because: PlacementReason;
  readonly units: readonly UnitName[];
  /** Units beyond those named. */
  readonly more: number;
}

/** Changes that are decided and not made, and what they wait for. `since` as of `AbsentMachine`. */
export type EngineWait = WaitingFor & { readonly since: string };

export type WaitingFor =
  /** Their wave has not come: these are not up yet, or not for long enough. Empty: nobody knows yet how they are. */
  | {
      readonly code: "wave";
      readonly units: readonly UnitName[];
      /** Units beyond those named. */
      readonly more: number;
      readonly for: readonly WaveBlocker[];
    }
  /** `from` must have stopped them before `to` starts them. */
  | {
      readonly code: "hand-off";
      readonly units: readonly UnitName[];
      readonly more: number;
      readonly from: MachineId;
      readonly to: MachineId;
    }
  /** The agent of that machine must have taken the release first: until then what runs there runs on. */
  | {
      readonly code: "prepare";
      readonly units: readonly UnitName[];
      readonly more: number;
      readonly machine: MachineId;
    }
  /** The rollout keeps somebody on that machine who does not go with them; `because`: of the first of them. */
  | {
      readonly code: "kept-out";
      readonly units: readonly UnitName[];
      readonly more: number;
      readonly machine: MachineId;
      readonly because: RejectReason;
    };

export interface WaveBlocker {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly state: Exclude<ReplicaState, "up">;
}

/** A unit that the release's plan put on another machine. */
export interface Deviation {
  readonly unit: UnitName;
  readonly planned: MachineId;
  readonly actual: MachineId;
  /** Why it is not where it was planned, as it was when this engine first saw it so. */
  readonly because: DeviationReason;
  readonly since: string;
}

export type DeviationReason =
  | RejectReason
  /** The planned machine is no member any more. */
  | { readonly code: "no-member" }
  /** The planned machine would take it by now; nothing moves back by itself. */
  | { readonly code: "stays" };
