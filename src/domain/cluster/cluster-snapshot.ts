import type { UnitDrift } from "../drift/unit-drift.ts";
import type { ServiceHealth } from "../health/judge-health.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../names.ts";
import type { Rollouts } from "../rollout/rollouts.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { DriverPolicy } from "../sync/driver-policy.ts";
import type { Rewind } from "../trust/rewind.ts";
import type { Hold } from "./hold.ts";
import type { Resources } from "./resources.ts";

/** What the registry says, at one revision; immutable. `modRevision`s are there to be compared in the next write. */
export interface ClusterSnapshot {
  /** The registry's revision this was read at; 0 where there is no registry yet. */
  readonly revision: number;
  readonly identity: ClusterIdentity | null;
  readonly release: Release | null;
  /** 0 where there is no release yet. */
  readonly releaseModRevision: number;
  /** Sorted by id. */
  readonly members: readonly Member[];
  /** Where each single (not global) unit is; sorted by unit. */
  readonly assignments: readonly Assignment[];
  /** Assignments that are there and cannot be read: all that can be done with one is to write over it. Sorted by unit. */
  readonly damagedAssignments?: readonly DamagedAssignment[];
  /** The set of each machine, globals included; sorted by machine. */
  readonly sets: readonly MachineSet[];
  /** What machines told that cannot go by this registry; sorted by machine. Absent: none. */
  readonly kept?: readonly KeptSet[];
  /** How far releases have come. Absent: nobody has said, or was not asked. */
  readonly rollouts?: Rollouts;
  /** Sorted by unit, then machine. */
  readonly statuses: readonly UnitStatus[];
}

/** Minted once by the first apply. Every daemon and every release compares it: another id is another cluster. */
export interface ClusterIdentity {
  readonly id: string;
  readonly name: string;
  /** The repository, without credentials; empty where the cluster reads a local path. */
  readonly source: string;
  readonly branch: string;
  readonly manifest: string;
  /** Rises when a registry is replaced; a set of another epoch is not acted on. */
  readonly epoch: number;
}

/** The pointer to the commit in force. */
export interface Release {
  /** Counts from 1. */
  readonly seq: number;
  readonly commit: CommitId;
  readonly specHash: SpecHash;
  readonly contentId: string;
  readonly planId: string;
  /** The contentId of the release before, or null for the first. */
  readonly parent: string | null;
  readonly by: string;
  /** RFC 3339; for people. */
  readonly at: string;
  /** Who makes the next one, by this one's commit. Absent: `fleet apply`. */
  readonly driver?: DriverPolicy["by"];
}

/** A machine as it describes itself: durable, until `machine remove`. */
export interface Member {
  readonly id: MachineId;
  /** Unique; the host name by default. */
  readonly name: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bootId: string;
  readonly version: string;
  readonly joined: string;
  /** The seq of the release its agent accepted last, or 0. */
  readonly acceptedSeq: number;
  /** The commit of that release, which outlives what the machine itself remembers. Absent: none, or an older agent's. */
  readonly acceptedCommit?: CommitId;
  /** It went back to that commit because somebody ordered it there. Absent: it goes forward, as ever. */
  readonly rewound?: Rewind;
  /** The seq of the release it is ready to change to, where that takes more than accepting it. Absent: `acceptedSeq`. */
  readonly readySeq?: number;
  /** The registry's epoch when it took that release. Absent: 1, or none was taken. */
  readonly acceptedEpoch?: number;
  /** The epoch of the set its agent goes by. Absent: it has none. */
  readonly setEpoch?: number;
  /** The id of the cluster its agent belongs to and obeys no other. Absent: none yet. */
  readonly cluster?: string;
  /** What the machine has in all. Absent: an older agent's, which does not say. */
  readonly capacity?: Resources;
  /** What its agent found it can run beyond systemd's units; sorted. Absent: an older agent's, which does not say. */
  readonly capabilities?: readonly string[];
  /** Why its agent keeps an older set than it was given, or null. */
  readonly problem?: StatusProblem | null;
  /** Units that run on it and that an administrator installed there, not fleet; sorted, at most FOREIGN_MAX. Absent: none. */
  readonly foreign?: readonly UnitName[];
  /** What somebody asked it on its own socket to leave alone; at most OWN_HOLDS_MAX. Absent: nothing. */
  readonly holds?: readonly Hold[];
  /**
   * It has units or a set here, and its own record is gone: all that is known of it is its id. Whoever was removed has neither. Absent: it has
   * its record.
   */
  readonly unrecorded?: true;
  /** Whether its presence lease is alive. */
  readonly present: boolean;
  /** The create revision of its presence key, the agent's incarnation; 0 where absent. */
  readonly presenceRevision: number;
  /** Its agent was heard no longer ago than this, while it is present; not there where it is absent, or too old to say. */
  readonly heardWithinMs?: number;
}

export interface Assignment {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly hash: UnitHash;
  readonly goal: UnitGoal;
  /** Why it came to this machine: the code of a `PlacementReason`. Also where it was given another version there since. */
  readonly reason: string;
  readonly modRevision: number;
  /** RFC 3339, for people: since when it is on this machine. Absent where its writer did not say. */
  readonly at?: string;
}

export type DamagedAssignment = Pick<Assignment, "unit" | "modRevision">;

/** One machine's whole set, complete only if its header says so. */
export interface MachineSet {
  readonly machine: MachineId;
  /** Null where the header is missing or unreadable: then nothing is known and nothing may be stopped. */
  readonly header: SetHeader | null;
  /** 0 where it is missing. */
  readonly headerModRevision: number;
  /** As of `Assignment`. */
  readonly headerAt?: string;
  /** Sorted by unit. */
  readonly placements: readonly PlacedUnit[];
}

/** What a machine goes by, as its agent tells where the registry does not show it: wiped, restored, or of a new epoch. */
export interface KeptSet {
  readonly machine: MachineId;
  /** As it knew the cluster when it took its release. */
  readonly identity: ClusterIdentity;
  /** The one it took last. */
  readonly release: Release;
  readonly epoch: number;
  readonly generation: number;
  readonly placements: readonly PlacedUnit[];
}

export interface SetHeader {
  readonly epoch: number;
  /** Only rises. */
  readonly generation: number;
  readonly count: number;
  /** `digestOfSet` of the placements. */
  readonly digest: string;
}

export interface PlacedUnit {
  readonly unit: UnitName;
  readonly hash: UnitHash;
  /** `inactive`: this machine is to stop it and say so, and it goes on to another (protocol rule 27). */
  readonly goal: UnitGoal;
}

/** What a machine's agent saw of one unit. Observation only: it never edits intent. */
export interface UnitStatus {
  readonly unit: UnitName;
  readonly machine: MachineId;
  /** systemd's own words. */
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  /** The hash systemd runs, or null where none of ours runs. */
  readonly hash: UnitHash | null;
  /** RFC 3339 time of the last change of state, by the machine's clock; empty where unknown. */
  readonly since: string;
  /** systemd's Result: `success`, `exit-code`, …; empty where it never ran. */
  readonly result: string;
  readonly invocation: string;
  /**
   * Whether the agent ordered this very version to start. systemd forgets a unit that ended well, so only this tells a oneshot that
   * is done from one that never ran.
   */
  readonly started: boolean;
  /**
   * Of a unit that is placed and not to be started: the revision of the placement by which its agent has acted, and then seen what this
   * status says. Absent: it is to run, or something about it is under way.
   */
  readonly placed?: number;
  /** Why the agent could not do what was wanted, or null. */
  readonly problem: StatusProblem | null;
  /** What others changed of it on its machine, and what became of that; absent where nobody did for an hour. */
  readonly drift?: UnitDrift;
  /** What its own checks (`HealthCheck=`) say; absent where it has none. */
  readonly health?: ServiceHealth;
}

export interface StatusProblem {
  /** `failed`, `conflict` (a foreign unit has the name), `shadowed`, `text-unavailable`, `commit-unavailable`, `timeout`, … */
  readonly code: string;
  readonly detail: string;
  /** The last journal lines of a failure, at most ten. */
  readonly journal: readonly string[];
  /** The version that is not taken, where that is not the one the status names: of another one it says nothing. Of a unit's only. */
  readonly of?: UnitHash;
  /** RFC 3339 time from which on it has been so, by the clock of whoever says it, for people; of a machine's problem only. */
  readonly since?: string;
}

/** The code of a machine's problem that keeps its agent from seeing its units: what it said of them before is old. */
export const CANNOT_LOOK = "cannot-look";

/** The code of a problem of a machine and of its units: a change cut it off, and what ran before was put back. */
export const NOT_CONFIRMED = "not-confirmed";
