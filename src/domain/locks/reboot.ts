import type { MachineId, UnitName } from "../names.ts";

/** Why a machine that has a slot to restart does not yet, or is not yet done. */
export type RebootWait =
  /** Its window is closed. */
  | { readonly code: "window" }
  /** As many restart as may. */
  | { readonly code: "others" }
  /** It is not there, or has not told of itself. */
  | { readonly code: "machine-absent" }
  /** What is on it changes, comes or goes. */
  | { readonly code: "changing" }
  /** Too few of these sets of replicas would be up; `more`: beyond those named. */
  | { readonly code: "budget"; readonly sets: readonly string[]; readonly more: number }
  /** All would be well, and is watched for as long as its units ask. */
  | { readonly code: "steady" }
  /** It may go, and has not yet. */
  | { readonly code: "granted" }
  /** It restarts. */
  | { readonly code: "going" }
  /** It is back, and these units are not as they are to be. */
  | { readonly code: "not-healthy"; readonly units: readonly UnitName[]; readonly more: number };

/** Of one machine that has a slot. */
export interface RebootState {
  readonly machine: MachineId;
  /** RFC 3339, by the machine's clock, for people: since when it has the slot. */
  readonly since: string;
  readonly wait: RebootWait;
}
