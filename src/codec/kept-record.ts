import type { ClusterIdentity, KeptSet, PlacedUnit, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId } from "../domain/names.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";
import { CLUSTER_SHAPE, RELEASE_SHAPE } from "./registry-records.ts";

/** `kept/<machine>`: what an agent goes by, told only while the registry does not show it. */
type KeptRecord = Omit<KeptSet, "machine">;

const KEPT_SHAPE: Shape = {
  identity: "object?",
  release: "object?",
  epoch: "number",
  generation: "number",
  placements: "objects",
};
const PLACED_SHAPE: Shape = { unit: "string", hash: "string", goal: "string" };
/** The writer's operation id is no part of a release, only of its record. */
const { op: _op, ...TAKEN_SHAPE } = RELEASE_SHAPE;

export function encodeKept({ machine: _, ...kept }: KeptSet): string {
  return encodeRecord(kept satisfies KeptRecord);
}

/** Null where it is damaged or a newer fleet's: then that machine has not told. */
export function decodeKept(machine: MachineId, text: string): KeptSet | null {
  const decoded = decodeRecord<KeptRecord>(text, KEPT_SHAPE);
  if (decoded.kind !== "record") return null;
  const { identity, release, epoch, generation, placements } = decoded.record;
  if (!isIdentity(identity) || !isRelease(release)) return null;
  return placements.every((placed) => hasShape(placed, PLACED_SHAPE))
    ? { machine, identity, release, epoch, generation, placements: placements as readonly PlacedUnit[] }
    : null;
}

export function isIdentity(value: unknown): value is ClusterIdentity {
  return hasShape(value, CLUSTER_SHAPE);
}

export function isRelease(value: unknown): value is Release {
  return hasShape(value, TAKEN_SHAPE);
}
