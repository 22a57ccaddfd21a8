import type { Machine } from "../cluster/machine.ts";
import type { Sha256, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import type { BaseSpec } from "./base-versions.ts";

/** What has to be known to say which versions there are, and which of them a machine has. */
export interface VersionSight {
  readonly spec: ClusterSpec;
  /** The spec of the release before, or null where it is not known here. */
  readonly released: ClusterSpec | null;
  /** The last release whose rollout ended well. */
  readonly base: BaseSpec;
  /** `placedNow` of the snapshot. */
  readonly before: ReadonlyMap<UnitName, readonly PlacedSide[]>;
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
  readonly sha256: Sha256;
}
