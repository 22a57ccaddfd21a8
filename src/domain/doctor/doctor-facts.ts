import type { RegistryMark } from "../fencing/judge-replaced.ts";
import type { HubState } from "../hub/hub-state.ts";
import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";
import type { StandaloneState } from "../standalone/standalone-state.ts";

/** One look at one area: what was seen, or why nothing was. */
export type Seen<T> =
  | { readonly kind: "seen"; readonly value: T }
  /** `denied`: root would have seen it. */
  | { readonly kind: "unseen"; readonly why: "denied" | "timeout" | "failed"; readonly detail: string };

/** Everything `fleet doctor` judges, gathered at once. */
export interface DoctorFacts {
  readonly systemd: Seen<SystemdFacts>;
  readonly disk: Seen<readonly FolderFacts[]>;
  readonly limits: Seen<LimitFacts>;
  readonly daemons: Seen<DaemonsFacts>;
  readonly memory: Seen<MemoryFacts>;
  readonly units: Seen<readonly ForeignFile[]>;
  readonly registry: Seen<RegistryFacts>;
  readonly cluster: Seen<ClusterFacts>;
  readonly source: Seen<SourceFacts>;
  readonly podman: Seen<PodmanFacts>;
  /** Of a machine that is to follow git alone: it has no registry, and no cluster that could know it. Absent: engines tell it what to do. */
  readonly standalone?: Seen<StandaloneFacts>;
}

export interface StandaloneFacts {
  /** What its agent says; null where none answers, or one that takes its orders from engines. */
  readonly state: Pick<StandaloneState, "cluster" | "commit" | "tip" | "problem"> | null;
}

export interface SystemdFacts {
  /** The name of process 1. */
  readonly firstProcess: string;
  /** Whether systemd itself says that it booted this machine (sd_booted(3)). */
  readonly isBooted: boolean;
  /** Null where there is none to ask. */
  readonly version: number | null;
  /** Why systemd does not answer on the system bus; null where it does. */
  readonly busProblem: string | null;
  /** As /etc/machine-id says, trimmed; null where there is none. */
  readonly machineId: string | null;
}

export interface FolderFacts {
  readonly path: string;
  /** What the agent keeps in it. */
  readonly purpose: string;
  readonly isReadOnly: boolean;
  readonly freeBytes: number;
  /** Null where its file system does not count them. */
  readonly freeFiles: number | null;
}

export interface LimitFacts {
  /** fs.inotify.max_user_instances */
  readonly inotifyInstances: number;
  /** fs.inotify.max_user_watches */
  readonly inotifyWatches: number;
}

/** A service as `systemctl show` tells of it. */
export interface DaemonFacts {
  readonly unit: string;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly result: string;
  /** systemd's text; empty where it never ran. */
  readonly since: string;
  readonly restarts: number;
  /** Something starts it at boot. */
  readonly isEnabled: boolean;
  readonly openFilesMax: number | null;
}

export interface DaemonsFacts {
  readonly agent: DaemonFacts;
  readonly engine: DaemonFacts;
  readonly restore: DaemonFacts;
  /** Whether an agent answers on this machine's own socket, under whatever unit; null where only root may ask. */
  readonly agentAnswers: boolean | null;
}

/** What the agent has on its disk. */
export interface MemoryFacts {
  readonly clusterId: string | null;
  readonly clusterName: string | null;
  readonly releaseSeq: number | null;
  /** How far the registry had come, as this machine's agent and engine remember it. Absent: neither does. */
  readonly marks?: readonly RegistryMark[];
  readonly placed: number;
  /** Files that are there and cannot be read, by path; of texts of units only those that are needed. */
  readonly damaged: readonly string[];
  /** There is a boot set and it has no end: nothing is restored from it. */
  readonly isBootSetCut: boolean;
}

/** A file of somebody else that changes what one of our units is. */
export interface ForeignFile {
  readonly unit: string;
  readonly path: string;
  readonly kind: "shadow" | "mask" | "drop-in";
}

export interface RegistryFacts {
  /** Without credentials; null where none is configured. */
  readonly address: string | null;
  /** Null where it does not answer; why stands in `problem`. */
  readonly answer: RegistryAnswer | null;
  readonly problem: string | null;
  /** Absent: it is reached directly. */
  readonly hub?: HubFacts;
}

/** The way to a registry through engines. */
export interface HubFacts {
  readonly state: HubState;
  /** What this machine proves itself with to engines, and under which name and id. */
  readonly self: { readonly name: string; readonly machine: MachineId; readonly key: NodeKey };
}

export interface RegistryAnswer {
  /** Empty, and 0, where it does not tell the user asking. */
  readonly version: string;
  readonly members: number;
  readonly latencyMs: number;
  /** What it complains of itself; null where it does not say. */
  readonly alarms: readonly string[] | null;
  /** Null where it does not say. */
  readonly storeBytes: number | null;
}

/** The registry's word held against this machine's. */
export interface ClusterFacts {
  /** Null where it was not asked: no registry, or no name of a cluster to look for. */
  readonly there: {
    readonly name: string;
    readonly id: string | null;
    readonly newerVersion: number | null;
    /** What is behind what a daemon of this machine has seen; absent: nothing is. */
    readonly replaced?: string;
    /** What it knows under this machine's id; null where nothing. */
    readonly member: { readonly name: string; readonly bootId: string; readonly present: boolean } | null;
    /** The newest moment somebody wrote down there, and by how much it is ahead of this machine's clock. */
    readonly aheadMs: number;
  } | null;
  readonly here: {
    readonly machine: MachineId | null;
    readonly clusterId: string | null;
    readonly bootId: string;
    readonly agentRuns: boolean;
  };
}

export interface SourceFacts {
  /** Without credentials; null where none is configured. */
  readonly address: string | null;
  readonly latencyMs: number;
  /** Null where its branch was found. */
  readonly problem: string | null;
}

export interface PodmanFacts {
  /** Null where there is none. */
  readonly version: string | null;
  readonly hasGenerator: boolean;
}
