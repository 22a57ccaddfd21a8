import { readReport } from "../codec/read-report.ts";
import { decodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import {
  type IndexedUnit,
  LEADER_SHAPE,
  type LeaderRecord,
  RELEASE_SHAPE,
  type ReleaseRecord,
  type ReportRecord,
} from "../codec/registry-records.ts";
import type { Quarantined } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { Hold } from "../domain/cluster/hold.ts";
import type { SpecHash } from "../domain/names.ts";
import type { RegistryReader } from "../ports/registry.ts";
import { type RefusedMachine, readClaims } from "../usecases/read-claims.ts";
import { readHolds } from "../usecases/read-holds.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { readSpecIndex } from "../usecases/read-spec-index.ts";

/** What the looking commands show, read at one revision (the index and the engine's word a moment later). */
export interface ClusterView {
  readonly snapshot: ClusterSnapshot;
  readonly quarantined: readonly Quarantined[];
  /** The release's units, placed or not. */
  readonly index: readonly IndexedUnit[];
  readonly leader: LeaderRecord | null;
  readonly report: ReportRecord | null;
  /** What agents are asked to leave alone, widest first. */
  readonly holds: readonly Hold[];
  /** Machines that do nothing, because another one has their machine id. */
  readonly refused: readonly RefusedMachine[];
}

/** Reads all of it. An index that is missing or damaged is an empty one: lists are then shorter, nothing else. */
export function readClusterView(registry: RegistryReader, keys: RegistryKeys): Promise<ClusterView> {
  return readView(registry, keys, null);
}

/** The same without assignments, which lists of units and machines do not show. */
export function readListView(registry: RegistryReader, keys: RegistryKeys): Promise<ClusterView> {
  return readView(registry, keys, "assign/");
}

async function readView(registry: RegistryReader, keys: RegistryKeys, without: "assign/" | null): Promise<ClusterView> {
  // Most of the time is the registry's: what does not depend on the snapshot is asked for beside it.
  const [{ snapshot, quarantined }, expected, engine, refused] = await Promise.all([
    readSnapshot(registry, keys, without),
    readReleasedIndex(registry, keys),
    registry.list(keys.leader.replace(/leader$/, "")),
    readClaims(registry, keys),
  ]);
  const specHash = snapshot.release?.specHash;
  const [holds, index] = await Promise.all([
    readHolds(registry, keys, snapshot.members),
    specHash === undefined || specHash === expected?.specHash
      ? (expected?.index ?? [])
      : readSpecIndex(registry, keys, specHash),
  ]);
  const textOf = (wanted: string) => engine.entries.find(({ key }) => key === wanted)?.value;
  const leader = decodeRecord<LeaderRecord>(textOf(keys.leader) ?? "", LEADER_SHAPE);
  return {
    snapshot,
    quarantined,
    index,
    leader: leader.kind === "record" ? leader.record : null,
    report: readReport(textOf(keys.report) ?? ""),
    holds,
    refused,
  };
}

/** Of the release there is at this moment; null where there is none. */
async function readReleasedIndex(
  registry: RegistryReader,
  keys: RegistryKeys,
): Promise<{ readonly specHash: SpecHash; readonly index: readonly IndexedUnit[] } | null> {
  const { entries } = await registry.list(keys.release, { exact: true });
  const release = decodeRecord<ReleaseRecord>(entries[0]?.value ?? "", RELEASE_SHAPE);
  if (release.kind !== "record") return null;
  const { specHash } = release.record;
  return { specHash, index: await readSpecIndex(registry, keys, specHash) };
}
