import type { ClusterIdentity, ClusterSnapshot, Release } from "../cluster/cluster-snapshot.ts";
import { compareText, type MachineId } from "../names.ts";
import { highestEpoch } from "./highest-epoch.ts";
import type { RegistryMark } from "./judge-replaced.ts";

/** What taking a cluster over from its machines comes to. */
export type Choice =
  | {
      readonly kind: "adopt";
      /** As it is to be written: under a raised epoch. */
      readonly identity: ClusterIdentity;
      /** The one in force from then on; null where there never was one. */
      readonly release: Release | null;
      /** The registry has lost it, or has an older one. */
      readonly isReleasePutBack: boolean;
      /** Sorted by name. */
      readonly machines: readonly AdoptedMachine[];
    }
  /** There is no cluster here, and no machine has told that it belongs to one. */
  | { readonly kind: "nothing" }
  /** Machines of more than one cluster speak here: whose registry it is, only a person can say. Sorted by id. */
  | {
      readonly kind: "several";
      readonly clusters: readonly { readonly id: string; readonly machines: readonly string[] }[];
    };

export interface AdoptedMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly present: boolean;
  /** What it says it keeps; null where it goes by this registry, or has not told. */
  readonly told: { readonly units: number; readonly seq: number } | null;
}

/**
 * Of all that is left of a cluster, in its registry and on its machines, what it goes on with: its own identity, the latest release anybody
 * has taken, and an epoch nobody has seen.
 */
export function chooseAdopted(snapshot: ClusterSnapshot, known: RegistryMark | null): Choice {
  const { identity, members, kept = [] } = snapshot;
  const clusters = clustersOf(snapshot);
  if (clusters.size > 1) return { kind: "several", clusters: listed(clusters) };
  const latest = [...kept].sort((a, b) => b.release.seq - a.release.seq || b.identity.epoch - a.identity.epoch)[0];
  const own = latest === undefined || latest.identity.id === identity?.id ? identity : latest.identity;
  const base = own ?? latest?.identity ?? null;
  if (base === null) return { kind: "nothing" };
  const shown = identity?.id === base.id ? snapshot.release : null;
  const isReleasePutBack = latest !== undefined && isLater(latest.release, shown);
  const told = new Map(kept.map((set) => [set.machine, { units: set.placements.length, seq: set.release.seq }]));
  return {
    kind: "adopt",
    identity: { ...base, epoch: highestEpoch(snapshot, known) + 1 },
    release: isReleasePutBack ? latest.release : shown,
    isReleasePutBack,
    machines: members
      .map(({ id, name, present }) => ({ id, name, present, told: told.get(id) ?? null }))
      .sort((a, b) => compareText(a.name, b.name)),
  };
}

/** The same number for another commit: what machines took was there first, and the other commit is applied again on top of it. */
function isLater(taken: Release, shown: Release | null): boolean {
  if (shown === null) return true;
  return taken.seq > shown.seq || (taken.seq === shown.seq && taken.commit !== shown.commit);
}

/** Which machines go by which cluster; those that keep nothing go by none. */
function clustersOf({ identity, members, kept = [] }: ClusterSnapshot): Map<string, string[]> {
  const told = new Map(kept.map((set) => [set.machine, set.identity.id]));
  const clusters = new Map<string, string[]>();
  for (const { id, name, present, setEpoch } of members) {
    const cluster = told.get(id) ?? (present && setEpoch !== undefined ? identity?.id : undefined);
    if (cluster !== undefined) clusters.set(cluster, [...(clusters.get(cluster) ?? []), name]);
  }
  return clusters;
}

function listed(clusters: ReadonlyMap<string, readonly string[]>): { id: string; machines: readonly string[] }[] {
  return [...clusters]
    .map(([id, machines]) => ({ id, machines: [...machines].sort() }))
    .sort((a, b) => compareText(a.id, b.id));
}
