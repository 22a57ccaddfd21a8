import type { Resource } from "../cluster/resources.ts";
import type { GroupName, MachineId, UnitHash, UnitName } from "../names.ts";
import type { UnitGoal } from "../spec/cluster-spec.ts";

/** unit → machine, with what to run there and why. Global units have one placement on each eligible machine. */
export interface Placement {
  readonly unit: UnitName;
  readonly machine: MachineId;
  readonly hash: UnitHash;
  /** `inactive` only where it is to be stopped before it moves: `placeUnits` never says so. */
  readonly goal: UnitGoal;
  readonly reason: PlacementReason;
}

/** Why a group is where it is. Data, never sentences. */
export type PlacementReason =
  | { readonly code: "stayed" }
  | { readonly code: "planned" }
  /** `load`: units it had. `fitting`: open machines the commit allows, before any neighbour was asked. */
  | { readonly code: "least-loaded"; readonly load: number; readonly fitting: number }
  /** The commit allows no other. */
  | { readonly code: "only-fit" }
  | { readonly code: "global" }
  /** `Move=never`: it would have moved, but its data is here. */
  | { readonly code: "data-stays"; readonly because: string }
  /** `Replace=no`: its machine is lost, and it waits for it. */
  | { readonly code: "awaits-machine" }
  /** It should go, and no other machine fits: where it is, it runs at least once its machine is back. */
  | { readonly code: "nowhere-else"; readonly because: RejectReason }
  /** It came to where the rest of its group is; `from` is null for a unit that is new. */
  | { readonly code: "joined-group"; readonly group: GroupName; readonly from: MachineId | null }
  | { readonly code: "moved"; readonly from: MachineId; readonly because: RejectReason };

/** Why a machine cannot hold a group. */
export type RejectReason =
  | { readonly code: "not-admitted" }
  | { readonly code: "absent" }
  | { readonly code: "lost" }
  | { readonly code: "drained" }
  | { readonly code: "cordoned" }
  /** It comes and goes: the engine sends it nothing new for a while. */
  | { readonly code: "flapping" }
  | { readonly code: "other-machine"; readonly wanted: string }
  | { readonly code: "metadata"; readonly wanted: string }
  /** The machine says that it cannot run such units: `quadlet`, without podman's generator. */
  | { readonly code: "capability"; readonly wanted: string }
  | { readonly code: "conflict"; readonly unit: UnitName; readonly with: UnitName }
  | { readonly code: "replaced-by"; readonly unit: UnitName }
  /**
   * Its units ask for more than is left there. Thousandths of a core, or bytes. `wanted`: by the whole group; `free`: what others leave
   * of `capacity`, less than 0 where more was promised; `wanted` above `capacity` never fits there.
   */
  | {
      readonly code: "no-room";
      readonly resource: Resource;
      readonly wanted: number;
      readonly free: number;
      readonly capacity: number;
    }
  /** As many of `set` (`replicaSetOf`) are there as one of them allows (`MaxPerMachine=`). */
  | { readonly code: "max-per-machine"; readonly set: string; readonly limit: number }
  /** `Spread=KEY hard`: another of `set` is where `key` has this value; null: this machine has no such key. */
  | { readonly code: "spread"; readonly set: string; readonly key: string; readonly value: string | null };

/** A group no machine holds now. `unplaceable`: no member, present or absent, could ever; `waiting`: one could, but is away. */
export interface Unplaced {
  readonly group: GroupName;
  readonly units: readonly UnitName[];
  readonly kind: "unplaceable" | "waiting";
  /** One entry a kind of reason, most machines first: how many machines, and up to three of them by name. */
  readonly because: readonly {
    readonly reason: RejectReason;
    readonly count: number;
    readonly examples: readonly string[];
  }[];
  /** The smallest change that would make it fit; null where it waits, or it was not looked for (`NEAREST_MAX`). */
  readonly nearest: NearestFit | null;
}

/** The machine that lacks least, and everything that keeps the group off it. */
export interface NearestFit {
  readonly machine: string;
  readonly obstacles: readonly RejectReason[];
}

export interface PlacementResult {
  /** Sorted by unit, then machine. */
  readonly placements: readonly Placement[];
  /** Sorted by group. */
  readonly unplaced: readonly Unplaced[];
}
