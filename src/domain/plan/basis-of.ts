import { canonicalJson } from "../canonical-json.ts";
import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import { foreignPlaces } from "../cluster/foreign-places.ts";
import { compareText, type Sha256, type UnitName } from "../names.ts";
import { placedNow } from "../placement/placed-now.ts";
import { RULES_VERSION } from "./plan.ts";

/**
 * sha256 of exactly what the deciders read of the registry: the cluster, its release, the members with their metadata, what
 * they have, and whether they are there, where every unit is, and where units that the plan places and fleet did not run already. Not statuses, addresses or
 * revisions: a unit that crashes while a plan is read makes it no other plan, nor does a unit of others' own that comes and goes.
 */
export function basisOf(
  snapshot: ClusterSnapshot,
  plan: { readonly placements: readonly { readonly unit: UnitName }[] },
  sha256: Sha256,
): string {
  const { identity, release } = snapshot;
  const placed = placedNow(snapshot);
  const wanted = new Set(plan.placements.map(({ unit }) => unit));
  const foreign = [...foreignPlaces(snapshot, placed)].filter(([unit]) => wanted.has(unit));
  return sha256(
    canonicalJson({
      rules: RULES_VERSION,
      cluster: identity === null ? null : { id: identity.id, epoch: identity.epoch },
      release: release === null ? null : { seq: release.seq, commit: release.commit, specHash: release.specHash },
      members: [...snapshot.members]
        .sort((a, b) => compareText(a.id, b.id))
        .map(({ id, name, metadata, present, capacity, capabilities }) => ({
          ...{ id, name, metadata, present },
          ...(capacity === undefined ? {} : { capacity: { ...capacity } }),
          ...(capabilities === undefined ? {} : { capabilities: [...capabilities] }),
        })),
      placed: [...placed].map(([unit, sides]) => [unit, sides.map(({ machine, hash, goal }) => [machine, hash, goal])]),
      ...(foreign.length === 0 ? {} : { foreign }),
    }),
  );
}
