import type { StatusProblem, UnitStatus } from "../cluster/cluster-snapshot.ts";
import type { CommitId, UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";
import type { Rewind } from "../trust/rewind.ts";
import type { LeftOut, RefusedHere } from "./standalone-set.ts";

/** What a machine that follows git alone says of itself. */
export interface StandaloneState {
  readonly cluster: string;
  /** Without credentials. */
  readonly source: string;
  readonly branch: string;
  readonly manifest: string;
  /** The branch's, when it was fetched last; null: not since the agent started. */
  readonly tip: CommitId | null;
  /** How long ago the branch was read last, in milliseconds by a clock nobody sets; null: not since the agent started. */
  readonly fetchedAgoMs: number | null;
  /** Between two looks at the branch. */
  readonly pollMs: number;
  /** In force here; null: none yet. */
  readonly commit: CommitId | null;
  /** RFC 3339, by the machine's clock: when it was taken. */
  readonly since: string | null;
  /** It went back to that commit because somebody ordered it here; null: it goes forward, as ever. */
  readonly rewound: Rewind | null;
  /** Why the branch's tip is not in force, or not in all, or null. */
  readonly problem: StatusProblem | null;
  /** Units that the commit changes and whose turn has not come; sorted. Absent: an older agent's. */
  readonly waiting?: readonly UnitName[];
  /** Sorted by unit. */
  readonly units: readonly StandaloneUnit[];
  readonly refused: readonly RefusedHere[];
  readonly left: readonly LeftOut[];
}

export interface StandaloneUnit {
  readonly unit: UnitName;
  readonly goal: UnitGoal;
  /** Null: it has not been looked at yet. */
  readonly status: Pick<UnitStatus, "active" | "sub" | "problem"> | null;
}
