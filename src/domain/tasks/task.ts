import type { ConfirmPolicy } from "../confirm/confirm-policy.ts";
import type { Announcement } from "../discovery/announcement.ts";
import type { DriftPolicy } from "../drift/drift-policy.ts";
import type { HealthCheck } from "../health/health-check.ts";
import type { UnitHash, UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { Delivery } from "../spec/delivered-file.ts";
import type { UnitEffect } from "../unit/unit-effect.ts";
import type { ForeignFiles } from "./foreign-files.ts";

/** A unit as it should be on this machine. */
export interface WantedUnit {
  readonly name: UnitName;
  /** The name systemd knows it by. */
  readonly service: UnitName;
  readonly goal: UnitGoal;
  readonly hash: UnitHash;
  readonly files: readonly InstalledFile[];
  /** Units it must start after; those not on this machine are ignored. */
  readonly after: readonly UnitName[];
  /** Ended well and stays down: a oneshot without RemainAfterExit that exited 0 is converged. */
  readonly oneshot: boolean;
  /** Whether a unit of this name that somebody else installed is taken over where its definition amounts to this one. */
  readonly adopt?: boolean;
  /** What is done where somebody changed it on this machine. Absent: `correct`. */
  readonly drift?: DriftPolicy;
  /** What is asked for after a change of it. Absent: by what the change touches. */
  readonly confirm?: ConfirmPolicy;
  /** What must pass for it to be healthy. Absent: systemd's word is enough. */
  readonly healthChecks?: readonly HealthCheck[];
  /** Ports by which it is found. Absent: none. */
  readonly announce?: readonly Announcement[];
  /** Its processes are to go and come again although they run its text. Absent: not. */
  readonly anew?: true;
}

/** One file under systemd's unit directory; or one that a unit reads, elsewhere. */
export interface InstalledFile {
  /**
   * Relative: `web@1.service`, `web@1.service.d/90-fleet-environment.conf`. No `..`, one directory deep at most. Of a file that is read
   * absolute: `/var/lib/fleet/files/web@1.service/app.env`.
   */
  readonly path: string;
  readonly text: string;
  /** Of a file that the unit reads, and with it alone. Absent: it is the unit's own text. */
  readonly delivery?: Delivery;
}

/**
 * A unit as it is on this machine. Three hashes: on disk, loaded by systemd, running. Null: none of ours. A hash also stands for a
 * text that differs from what was really loaded or started only in what neither systemd nor a process notices.
 */
export interface ObservedUnit {
  readonly name: UnitName;
  readonly service: UnitName;
  /** Whether fleet wrote its files. */
  readonly owned: boolean;
  readonly onDisk: UnitHash | null;
  readonly loaded: UnitHash | null;
  readonly running: UnitHash | null;
  /**
   * The hash the agent last ordered to start, or adopted running, since boot; null where it ordered none, or stopped it since.
   * systemd forgets a unit that ended well, so only this tells a oneshot that is done from one that never ran, a
   * failure of this text from one of the text before, and a unit we launched from one its socket activated.
   */
  readonly started: UnitHash | null;
  /** systemd's view, or null where systemd does not hold it. */
  readonly systemd: SystemdView | null;
  /** What there is of somebody else's definition; absent where there is none. */
  readonly foreign?: ForeignFiles;
  /** Its files are not as fleet wrote them, and are to be. Absent where nobody changed them, or what they changed stays. */
  readonly changedByHand?: {
    /** Files of others that change it, absolute: drop-ins, masks. */
    readonly others: readonly string[];
  };
  /** Somebody else's file of this name, which systemd does not hold: ours would hide it, or be hidden by it. Absent where there is none. */
  readonly definedElsewhere?: string;
}

export interface SystemdView {
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  /** The unit file systemd loaded, or empty. */
  readonly fragmentPath: string;
  /** What masks it for systemd is not there any more: systemd has not read its files since. Absent: it is there, or it is no mask. */
  readonly maskGone?: true;
}

/** One act of one agent on its systemd. */
export type Task =
  | { readonly kind: "stop"; readonly unit: UnitName; readonly reason: TaskReason }
  | { readonly kind: "remove"; readonly unit: UnitName; readonly reason: TaskReason }
  | { readonly kind: "write"; readonly unit: UnitName; readonly reason: TaskReason }
  /** Files of others that change it, out of systemd's sight. */
  | { readonly kind: "set-aside"; readonly unit: UnitName; readonly reason: TaskReason }
  /** Our files beside somebody else's of the same meaning, and those out of the way; or the rest of that. Nothing runs otherwise for it. */
  | { readonly kind: "takeover"; readonly unit: UnitName; readonly reason: TaskReason }
  | { readonly kind: "reset-failed"; readonly unit: UnitName; readonly reason: TaskReason }
  /**
   * Once a pass, of units whose files changed under systemd or went: needed only if systemd still holds one of them, or one is a
   * quadlet (its name is not its service's), whose service a generator makes at reload.
   */
  | { readonly kind: "reload"; readonly units: readonly UnitName[]; readonly reason: TaskReason }
  /** The unit's own reload (`ExecReload=`, a remount), after systemd holds its new text. */
  | { readonly kind: "reload-unit"; readonly unit: UnitName; readonly reason: TaskReason }
  | { readonly kind: "start"; readonly unit: UnitName; readonly reason: TaskReason }
  /** Is as it should be by now: only remembered, as owned, and as started if it is to be launched, as not started if loaded. */
  | { readonly kind: "adopt"; readonly unit: UnitName; readonly reason: TaskReason };

export type TaskReason =
  | { readonly code: "not-wanted-here" }
  | { readonly code: "not-on-disk" }
  /** `from` is null where a write was cut short. */
  | {
      readonly code: "file-changed";
      readonly from: UnitHash | null;
      readonly to: UnitHash;
      readonly effect: UnitEffect;
    }
  /** Somebody edited, deleted or masked its files, or added to them. */
  | { readonly code: "changed-by-hand" }
  | { readonly code: "goal-is"; readonly goal: UnitGoal }
  | { readonly code: "not-running" }
  | { readonly code: "runs-already"; readonly hash: UnitHash }
  /** Of a unit that somebody else installed. */
  | { readonly code: "same-definition" }
  /** systemd stops it with that unit, or opens that socket only while it is down. */
  | { readonly code: "restart-with"; readonly unit: UnitName }
  /** A change that was undone may have undone what it did. */
  | { readonly code: "done-anew" }
  /** systemd holds definitions older than the files. */
  | { readonly code: "loaded-is-old" };

/** A wanted unit the agent must not touch, and why. */
export interface Blocked {
  readonly unit: UnitName;
  readonly because: /** There is a unit of this name that fleet did not write. */
    | { readonly code: "conflict"; readonly fragmentPath: string; readonly foreign?: ForeignFiles }
    /** Fleet wrote it, and systemd loads another file of this name, from /etc. */
    | { readonly code: "shadowed"; readonly fragmentPath: string };
}

export interface TaskPlan {
  /** In execution order: stop, remove, write, set-aside, takeover, reset-failed, reload, reload-unit, start, adopt. */
  readonly tasks: readonly Task[];
  /** Sorted by unit. */
  readonly blocked: readonly Blocked[];
}
