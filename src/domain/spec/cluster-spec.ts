import type { Resources } from "../cluster/resources.ts";
import type { Selector } from "../cluster/selector.ts";
import type { ConfirmPolicy } from "../confirm/confirm-policy.ts";
import type { NodeKey } from "../identity/node-key.ts";
import type { Damping } from "../loss/damping.ts";
import type { GroupName, MachineId, SpecHash, UnitName } from "../names.ts";
import type { StatusPolicy } from "../notify/convergence-status.ts";
import type { NotifyRule } from "../notify/notify-policy.ts";
import type { DriverPolicy } from "../sync/driver-policy.ts";
import type { TrustSpec } from "../trust/trust-policy.ts";
import type { FleetOptions } from "../unit/fleet-options.ts";
import type { DeliveredFile } from "./delivered-file.ts";

/** What is wanted of a unit: known but not placed, placed but not started, placed and started. Fleet's three words. */
export type UnitGoal = "inactive" | "loaded" | "launched";

/**
 * What the repository says should exist, at one commit: compiled, sorted, every default written out. Holds no commit id,
 * so a merge, a squash and a rebase of one tree give one spec. Nothing downstream looks at YAML or paths again.
 */
export interface ClusterSpec {
  readonly cluster: string;
  readonly specHash: SpecHash;
  /** Sorted by name. Instances are units of their own; templates are not units (see `companions`). */
  readonly units: readonly SpecUnit[];
  /** Sorted by name; every unit is in exactly one. */
  readonly groups: readonly Group[];
  /** Sorted by key. */
  readonly machines: readonly SpecMachine[];
  /** `listed`: only machines the commit names get units. */
  readonly admit: "listed" | "any";
  readonly loss: LossPolicy;
  /** In the order in which a commit reaches them. Absent: all machines at once. */
  readonly rings?: readonly Ring[];
  /** Absent: one machine at a time, at any time, without a drain. */
  readonly reboots?: RebootPolicy;
  /** Absent: every commit is acceptable. Part of the spec so that a change of it is a release of its own. */
  readonly trust?: TrustSpec;
  /** Who makes the next release. Absent: whoever says `fleet apply`. Part of the spec as `trust` is. */
  readonly driver?: DriverPolicy;
  /** Who is told of what goes wrong. Absent: nobody. */
  readonly notify?: readonly NotifyRule[];
  /** Where the leading engine says how commits fare. Absent: nowhere. */
  readonly status?: StatusPolicy;
}

/** One text of the repository (or generated from the manifest, then `path` is the manifest's) as it is to be installed. */
export interface SpecFile {
  /** Where it stands in the repository, for people. */
  readonly path: string;
  readonly text: string;
}

export interface SpecDropin extends SpecFile {
  /** Its name under `<unit>.d/`, such as `90-fleet-environment.conf`. */
  readonly name: string;
}

/** A secret as the repository has it: an armored age file, of which its machines alone can read more than the header. */
export interface SpecSecret extends SpecFile {
  /** Its file's on machines, and without its ending in the repository. */
  readonly name: string;
  /** How it lies there, where that is not as root's alone. Absent: 0600 root:root. */
  readonly as?: { readonly mode: string; readonly owner: string; readonly group: string };
}

export interface SpecUnit {
  readonly name: UnitName;
  /** The name systemd knows it by: `postgres.service` for `postgres.container`, else the name itself. */
  readonly service: UnitName;
  readonly kind: "systemd" | "quadlet";
  /** The template it was made from, or null. */
  readonly template: UnitName | null;
  readonly goal: UnitGoal;
  readonly fragment: SpecFile;
  /** In systemd's order of application: by name, template's before instance's of the same name already resolved. */
  readonly dropins: readonly SpecDropin[];
  /** Templates it refers to that nobody instantiates (`Accept=yes`, `OnFailure=notify@%n.service`): they travel with it. */
  readonly companions: readonly Companion[];
  /** What it reads of its component's `files/` and of what the manifest gives it; sorted by name. Absent: nothing. */
  readonly files?: readonly DeliveredFile[];
  /** Which it names by their paths on machines; sorted by name. Absent: none. */
  readonly secrets?: readonly SpecSecret[];
  readonly options: FleetOptions;
  /** What it asks of its machine: its `CPU=` and `Memory=`, else its own limits. Absent: nothing. */
  readonly requests?: Resources;
  readonly group: GroupName;
  /** Units of this commit it must start after, on any machine; sorted. */
  readonly after: readonly UnitName[];
  readonly rollout: RolloutPolicy;
  /** A unit of this name that somebody else installed is taken over where its definition amounts to this one. Absent: it never is. */
  readonly adopt?: true;
  /** It runs at most once: how long it outlives its machine's lease, in milliseconds. Absent: it is kept running, whatever is lost. */
  readonly stopAfterMs?: number;
  /** Whether it is placed anew once its machine is lost. Absent: after the cluster's grace. */
  readonly replace?: ReplacePolicy;
  /** What its machine's agent does where somebody changed it there. Absent: `correct`. */
  readonly drift?: "detect" | "off";
  /** How long its machine may be unreachable after a change of it, in milliseconds, or `off`. Absent: by what the change touches. */
  readonly confirm?: ConfirmPolicy;
}

/** `no`: never, it waits for its machine. `afterMs`: after a grace of its own, in milliseconds of silence beyond the lease. */
export type ReplacePolicy = "no" | { readonly afterMs: number };

export interface Companion {
  readonly name: UnitName;
  readonly fragment: SpecFile;
  readonly dropins: readonly SpecDropin[];
}

/** How one unit's changes reach the cluster. What is absent is as it was before it could be said, so that a spec keeps its hash. */
export interface RolloutPolicy {
  readonly maxUnavailable: number;
  /** Milliseconds without a break for which it must be healthy to count as up. */
  readonly minHealthyTimeMs: number;
  /** Milliseconds within which it must be so after a change; else the change has failed. */
  readonly healthDeadlineMs: number;
  /** How many of its replicas change in one wave, whether they were up or not; 1 or more. Absent: any number. */
  readonly maxParallel?: number;
  /** What becomes of the release if a change of this unit fails. Absent: it holds. */
  readonly onFailure?: "rollback";
  /** Which of its replicas change first, and alone. Absent: none. */
  readonly canary?: Canary;
  /** Milliseconds for which its canaries must be healthy before the others change. Absent: 0. */
  readonly bakeMs?: number;
}

/** A number of replicas, the first by name; or those on machines that match. */
export type Canary = { readonly count: number } | { readonly match: Selector };

/** Machines that get a commit before others do. A machine is in the first ring it matches; in none, it comes after the last. */
export interface Ring {
  /** As it is written, for people. */
  readonly name: string;
  /** Null: every machine. */
  readonly match: Selector | null;
  /** Milliseconds for which it must be healthy before the next ring opens. */
  readonly soakMs: number;
  /** When changes may begin in it. Null: at any time. */
  readonly window: Window | null;
}

/** Recurring times. By the wall clock of a zone, so that an hour of the night stays one through the year. */
export interface Window {
  /** As it is written: `Mon..Thu 02:00-04:00 Europe/Berlin`. */
  readonly text: string;
  /** Days on which it opens: 0 is Sunday; sorted. */
  readonly days: readonly number[];
  /** Minutes since midnight. */
  readonly fromMinute: number;
  /** Exclusive; at or below `fromMinute` it ends on the next day. */
  readonly toMinute: number;
  /** An IANA name; `UTC` where none is written. */
  readonly zone: string;
}

/** How machines that want to be restarted take turns (`fleet reboot-guard`). */
export interface RebootPolicy {
  /** How many at once; 1 or more. */
  readonly slots: number;
  readonly window: Window | null;
  /** Whether units that may move leave a machine before it restarts. */
  readonly drain: boolean;
}

/** Units that must live together: placed, moved and rolled out as one. */
export interface Group {
  /** Its alphabetically first unit. */
  readonly name: GroupName;
  /** Sorted. */
  readonly units: readonly UnitName[];
  /** On every eligible machine: all its units are `Global=true`. */
  readonly global: boolean;
  /** Why they are together, for people. Sorted. */
  readonly ties: readonly Tie[];
  /** `never`: stays where its data is, also when its machine is lost. */
  readonly move: "auto" | "never";
  /** Why `move` is `never` where nobody said so: the local state found. Sorted by unit. */
  readonly localState: readonly LocalState[];
}

export interface Tie {
  readonly from: UnitName;
  readonly to: UnitName;
  /** The directive or option that ties, such as `Requires=`, `Unit=`, `MachineOf=`, `Volume=`. */
  readonly by: string;
}

export interface LocalState {
  readonly unit: UnitName;
  /** Such as `StateDirectory=db` or `Volume=/srv/data`. */
  readonly because: string;
}

/** A machine as git names it, or a selector that adds to every machine it matches. */
export interface SpecMachine {
  /** The key in the manifest: a name, or a selector's text. */
  readonly key: string;
  /** Set where the key is a selector and not a name. */
  readonly match: Selector | null;
  readonly id: MachineId | null;
  /** What its agent proves itself with to engines: `key:` in the manifest. Then it has an id. Absent: no agent may dial an engine in its name. */
  readonly machineKey?: NodeKey;
  /** What the engine on it proves itself with to agents. Then it has an id. Absent: nobody takes it for an engine. */
  readonly engineKey?: NodeKey;
  /** Wins over what the machine claims. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Its units move away; nothing new comes. */
  readonly drain: boolean;
  /** Nothing new comes. */
  readonly cordon: boolean;
  readonly dropins: readonly MachineDropin[];
}

/** A drop-in that applies on one machine only; this is why a unit's hash is per machine. */
export interface MachineDropin extends SpecDropin {
  /** A unit, or a template whose instances all get it. */
  readonly unit: UnitName;
}

/**
 * How long a machine may be silent, in milliseconds, and what keeps a disturbance from growing: thresholds that are absent are as
 * `lossThresholds` has them, so that a spec from before they could be set keeps its hash.
 */
export interface LossPolicy extends Partial<Damping> {
  /** The presence lease: 30 s by default, as old fleet's agent_ttl. */
  readonly agentTtlMs: number;
  /** Silence beyond the lease before a machine counts as lost: 60 s by default. */
  readonly graceMs: number;
}
