import type { Release } from "../cluster/cluster-snapshot.ts";
import type { Hold } from "../cluster/hold.ts";
import type { FailedBecause, WaitingBecause } from "../cluster/seen-units.ts";
import type { SourceLocation } from "../diagnostic.ts";
import type { UnitDrift } from "../drift/unit-drift.ts";
import type { CommitId, GroupName, MachineId, UnitHash, UnitName } from "../names.ts";
import type { NearestFit, PlacementReason, Unplaced } from "../placement/placement.ts";
import type { Deviation, EngineWait, LostMachine, StuckHandOff } from "../report/engine-report.ts";
import type { RolloutStatus } from "../report/rollout-status.ts";
import type { LocalState, Tie, UnitGoal } from "../spec/cluster-spec.ts";
import type { Rewind } from "../trust/rewind.ts";

/** One unit on one machine (or nowhere): how it is, and the chain from the commit to its last journal lines. */
export interface UnitExplanation {
  readonly unit: UnitName;
  /** The name systemd knows it by. */
  readonly service: UnitName;
  readonly machine: MachineId | null;
  readonly machineName: string | null;
  readonly verdict: WhyVerdict;
  /** In the order of the chain; links of which nothing is known are left out. */
  readonly links: readonly WhyLink[];
}

/** How it is, in the first words that are true; `link` is where the chain breaks, or null where it holds. */
export type WhyVerdict = { readonly link: WhyLink["link"] | null } & (
  | { readonly state: "as-wanted"; readonly because: AsWanted }
  /** Something else must happen, and somebody or something is at it. */
  | { readonly state: "waits"; readonly because: WaitsBecause }
  /** It stays so until a person does something. */
  | { readonly state: "stuck"; readonly because: StuckBecause }
);

export type AsWanted =
  | { readonly code: "runs" }
  /** A oneshot that ended well. */
  | { readonly code: "done" }
  /** `loaded`: it is there for whoever starts it. */
  | { readonly code: "ready"; readonly startedBy: readonly UnitName[] }
  /** The commit knows it and wants it nowhere. */
  | { readonly code: "inactive" }
  /** A global unit, and no machine matches. */
  | { readonly code: "matches-none" };

export type WaitsBecause =
  | Exclude<WaitingBecause, { readonly code: "not-placed" }>
  /** It is on the engine to place it, and nothing is known to be in its way. */
  | { readonly code: "engine" }
  | { readonly code: "no-leader" }
  | { readonly code: "engine-problem"; readonly problem: string }
  /** The leader has not taken up the release yet. */
  | { readonly code: "engine-behind"; readonly follows: number }
  | { readonly code: "wave"; readonly wait: EngineWait }
  | { readonly code: "hand-off"; readonly wait: EngineWait }
  | { readonly code: "prepare"; readonly wait: EngineWait }
  | { readonly code: "kept-out"; readonly wait: EngineWait }
  /** Its rollout stands still or goes back, the ring of its machine is not open, or the canaries of its set have not been healthy for their time. */
  | { readonly code: "rollout"; readonly because: "phase" | "ring" | "canaries"; readonly rollout: RolloutStatus }
  | { readonly code: "held"; readonly hold: Hold };

export type StuckBecause =
  | FailedBecause
  /** It is to go elsewhere, and its machine does not stop it: nothing else starts it before. */
  | { readonly code: "handoff-stuck"; readonly handOff: StuckHandOff };

/** One link of the chain. `since`: RFC 3339, from when on this is so; null where nobody keeps that. */
export type WhyLink =
  | CommitLink
  | FilesLink
  | GoalLink
  | GroupLink
  | PlacementLink
  | UnplacedLink
  | EngineLink
  | SetLink
  | AgentLink
  | SystemdLink;

export interface CommitLink {
  readonly link: "commit";
  readonly commit: CommitId;
  readonly release: Release["seq"];
  readonly by: string;
  readonly since: string;
  /** Null where this repository does not have the commit: then links that need its files are missing. */
  readonly subject: string | null;
  readonly author: string | null;
  /** The commit this repository has out, where it is another one: what applying it would do to the unit. */
  readonly head: { readonly commit: CommitId; readonly unit: "same" | "changed" | "gone" } | null;
}

/** As old as the commit. */
export interface FilesLink {
  readonly link: "files";
  /** The template it is an instance of, or null. */
  readonly template: UnitName | null;
  /** The fragment first, then drop-ins in systemd's order. */
  readonly files: readonly ({ readonly role: "fragment" | "dropin" } & SourceLocation)[];
}

/** As old as the commit. */
export interface GoalLink {
  readonly link: "goal";
  readonly goal: UnitGoal;
  /** Where the commit says so; `default`: nobody says anything, and units are launched. */
  readonly because:
    | { readonly code: "default" }
    | { readonly code: "manifest"; readonly at: SourceLocation }
    | { readonly code: "activated"; readonly by: readonly { readonly unit: UnitName; readonly by: string }[] }
    | { readonly code: "unknown" };
  /** Where the commit makes instances of its template; null where it is none. */
  readonly instances: SourceLocation | null;
}

/** As old as the commit. */
export interface GroupLink {
  readonly link: "group";
  readonly group: GroupName;
  readonly units: readonly UnitName[];
  readonly global: boolean;
  /** Where the commit says that tie, as far as a line says it. */
  readonly ties: readonly (Tie & { readonly at: SourceLocation | null })[];
  readonly move: "auto" | "never";
  readonly localState: readonly LocalState[];
  readonly after: readonly UnitName[];
}

export interface PlacementLink {
  readonly link: "placement";
  readonly machine: MachineId;
  readonly machineName: string;
  /** The code of the reason it was put there for; null where the registry does not say. */
  readonly placedFor: string | null;
  /** When that was written. */
  readonly since: string | null;
  /** By the commit and the machines as they are now; null where the commit is not known here. */
  readonly now: PlacementReason | null;
  /** Where the engine wants it instead; null: here. */
  readonly wanted: string | null;
  /** What the commit asks of its machine, as written. */
  readonly asks: readonly ({ readonly text: string } & SourceLocation)[];
  readonly rejected: Unplaced["because"];
  /** Other machines that would take it. */
  readonly fitting: { readonly count: number; readonly examples: readonly string[] };
  readonly deviation: Deviation | null;
}

export interface UnplacedLink {
  readonly link: "unplaced";
  readonly kind: Unplaced["kind"] | "not-yet";
  readonly asks: PlacementLink["asks"];
  readonly because: Unplaced["because"];
  readonly nearest: NearestFit | null;
  /** Where the engine will put it; null: nowhere. */
  readonly wanted: string | null;
  /** When the engine that leads first found it so; null where it does not say. */
  readonly since: string | null;
}

export interface EngineLink {
  readonly link: "engine";
  /** The machine whose engine leads; null: none does. */
  readonly leader: string | null;
  readonly term: number | null;
  readonly problem: string | null;
  /** The release it places; null where it said nothing yet. */
  readonly follows: number | null;
  /** What of this unit's it waits for. */
  readonly waits: readonly EngineWait[];
  readonly stuck: StuckHandOff | null;
  /** When it began to lead; null where it does not say. */
  readonly since: string | null;
  /** How far the rollout is. Absent: it is done, or nobody has begun it. */
  readonly rollout?: RolloutStatus;
}

export interface SetLink {
  readonly link: "set";
  readonly epoch: number;
  readonly generation: number;
  readonly count: number;
  /** `whole`: its agent may act on it; else what keeps it from doing so. */
  readonly state: "whole" | "no-header" | "other-epoch" | "incomplete";
  readonly goal: UnitGoal;
  readonly hash: UnitHash;
  /** When its header was written. */
  readonly since: string | null;
}

export interface AgentLink {
  readonly link: "agent";
  readonly present: boolean;
  /** Heard no longer ago than this; null where it is absent or does not say. */
  readonly heardWithinMs: number | null;
  /** Absent: since when an engine misses it. Else since when its problem is; null where there is none. */
  readonly since: string | null;
  /** What the engine makes of its silence, or of its coming and going; null: nothing. */
  readonly loss: LostMachine | null;
  /** The release it follows, and the one in force. */
  readonly accepted: number;
  readonly release: number;
  /** It went back on purpose. Absent: it goes forward, as ever. */
  readonly rewound?: Rewind;
  /** Of the machine. */
  readonly machineProblem: { readonly code: string; readonly detail: string } | null;
  /** Of the unit, in the agent's words. */
  readonly problem: { readonly code: string; readonly detail: string } | null;
  readonly hold: Hold | null;
  readonly drift: UnitDrift | null;
  /** What systemd runs, and what it should; null: none of ours, or nothing was said. */
  readonly runs: UnitHash | null;
  readonly wanted: UnitHash;
}

export interface SystemdLink {
  readonly link: "systemd";
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  readonly since: string | null;
  readonly started: boolean;
  /** What was said before its machine fell silent, or its agent could not look any more. */
  readonly isOld: boolean;
  /** The last lines of a failure. */
  readonly journal: readonly string[];
}
