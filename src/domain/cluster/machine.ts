import type { GracesOver } from "../loss/loss-verdict.ts";
import type { MachineId } from "../names.ts";
import type { Resources } from "./resources.ts";

/** A host that may run units: what it says of itself, what git says of it, and whether it is there. Git wins. */
export interface Machine {
  readonly id: MachineId;
  readonly name: string;
  readonly address: string;
  /** Its own metadata, then the reserved `arch os systemd`, then git's. */
  readonly metadata: Readonly<Record<string, string>>;
  readonly drain: boolean;
  readonly cordon: boolean;
  /** `absent`: silent, its units stay its own; `lost`: silent for longer than the grace, its movable units go elsewhere. */
  readonly presence: "present" | "absent" | "lost";
  /** Of a lost one: which graces are over. Absent: all of them. */
  readonly graces?: GracesOver;
  /** It comes and goes, so for a while nothing new comes to it: cordoned by the engine. */
  readonly flapping?: true;
  readonly presenceRevision: number;
  /** Nobody knows what it is any more: what is there stays there, as long as it is not lost, and nothing comes. */
  readonly unrecorded?: true;
  /** False where the commit lists machines and this is not one of them: it gets no units. */
  readonly admitted: boolean;
  /** What it has in all, whatever runs on it. Absent: it has not said, and never is too small. */
  readonly capacity?: Resources;
  /** What it says it can run beyond systemd's units: `quadlet`. Absent: an older agent's, which does not say. */
  readonly capabilities?: readonly string[];
}
