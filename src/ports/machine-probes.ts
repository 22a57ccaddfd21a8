import type {
  DaemonsFacts,
  FolderFacts,
  ForeignFile,
  HubFacts,
  LimitFacts,
  MemoryFacts,
  PodmanFacts,
  StandaloneFacts,
  SystemdFacts,
} from "../domain/doctor/doctor-facts.ts";
import type { Registry } from "./registry.ts";

/** A registry as this machine reaches it. */
export interface RegistryLink {
  readonly address: string;
  readonly registry: Registry;
  /** Tries every engine there is to go through, and says how it went; absent: it is reached directly. */
  readonly hub?: () => Promise<HubFacts>;
}

/** Looks at one machine, for `fleet doctor`. None changes anything; each rejects with OperationError (`not-allowed` where root would see). */
export interface MachineProbes {
  systemd(): Promise<SystemdFacts>;
  disk(): Promise<readonly FolderFacts[]>;
  limits(): Promise<LimitFacts>;
  daemons(): Promise<DaemonsFacts>;
  memory(): Promise<MemoryFacts>;
  /** Files of others that change what this machine's units are. */
  units(): Promise<readonly ForeignFile[]>;
  /** Null where none is configured. */
  registry(): Promise<RegistryLink | null>;
  /** Of the repository this machine follows, without credentials; null where none is configured. */
  sourceAddress(): string | null;
  /** Asks for the tip of the branch this machine follows; rejects where there is none to be had. */
  source(): Promise<void>;
  podman(): Promise<PodmanFacts>;
  /** Of a machine that is to follow git alone: what its agent says. Absent: engines tell it what to do. */
  standalone?(): Promise<StandaloneFacts>;
  /** The kernel's id of this boot. */
  bootId(): Promise<string>;
}
