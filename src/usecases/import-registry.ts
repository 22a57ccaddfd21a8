import { isOfCluster } from "../codec/durable-keys.ts";
import { decodeHold } from "../codec/hold-record.ts";
import { decodeRecord, encodeRecord } from "../codec/record.ts";
import type { ExportedEntry, RegistryExport } from "../codec/registry-export.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { CLUSTER_SHAPE, type ClusterRecord, TERM_SHAPE, type TermRecord } from "../codec/registry-records.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterIdentity } from "../domain/cluster/cluster-snapshot.ts";
import { highestEpoch } from "../domain/fencing/highest-epoch.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { OperationError, UnknownResultError } from "../ports/operation-error.ts";
import type { Compare, Entry, Operation, Registry } from "../ports/registry.ts";
import { readKnownMark } from "./read-known-mark.ts";

/** Operations and characters of one transaction: far below etcd's 128 and its 1.5 MiB, so that one large chunk more still fits. */
const BATCH_OPERATIONS = 64;
const BATCH_CHARACTERS = 512 * 1024;
/** Written last and together: with them the cluster is there, and without them nobody acts on the rest. */
const LAST: ReadonlySet<string> = new Set(["cluster", "release"]);
/** Engines and agents that write meanwhile may make the last transaction fail; what they write is little. */
const LAST_TRIES = 5;
/** etcd's shortest lease; a hold with less to go is over. */
const LEASE_MIN_MS = 2_000;

export interface ImportInput {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly content: RegistryExport;
  readonly clock: Clock;
  readonly newId: RandomId;
}

/**
 * Puts an exported cluster into a registry that has none of that name, under a raised epoch: engines and agents that have seen any other
 * life of it go on in this one, and never back. The cluster's record and its release come last, in one transaction; an import that died
 * before is begun anew by the next one. Rejects where a cluster is there already, saying what.
 */
export async function importRegistry(input: ImportInput): Promise<ClusterIdentity> {
  const { registry, keys, content } = input;
  const identity = identityOf(content);
  const { entries, revision } = await registry.list(keys.root);
  const { snapshot } = snapshotFromEntries(keys, entries, revision);
  refuseOccupied(keys, entries);
  const epoch = Math.max(content.epoch, highestEpoch(snapshot, await readKnownMark(registry, keys))) + 1;
  const raised: ClusterIdentity = { ...identity, epoch };
  const mark = await begin(input, entries);
  const there = new Set(entries.map(({ key }) => key));
  const immutable = content.entries.filter(({ key }) => !LAST.has(key) && !key.startsWith("holds/"));
  // What a machine says of itself by now is newer than what the backup says of it.
  const wanted = immutable.filter(({ key }) => !(key.startsWith("members/") && there.has(`${keys.root}${key}`)));
  for (const batch of inBatches(wanted)) await writeIfOurs(input, mark, putsOf(keys, batch));
  await placeHolds(input, mark);
  await finish(input, mark, raised);
  return raised;
}

function identityOf({ cluster, clusterId, epoch, entries }: RegistryExport): ClusterIdentity {
  const value = entries.find(({ key }) => key === "cluster")?.value;
  const decoded = value === undefined ? null : decodeRecord<ClusterRecord>(value, CLUSTER_SHAPE);
  if (decoded?.kind === "record") {
    const { id, name } = decoded.record;
    if (id === clusterId && name === cluster && decoded.record.epoch === epoch) return decoded.record;
  }
  throw new OperationError("export-damaged", "the export does not hold the cluster its first line names");
}

/** An import that was cut short has left its mark, and no cluster: all that is there is its own. */
function refuseOccupied(keys: RegistryKeys, entries: readonly Entry[]): void {
  const isCut = entries.some(({ key }) => key === keys.importing) && !entries.some(({ key }) => key === keys.cluster);
  const occupied = entries.filter((entry) => isOfCluster(keys, entry));
  if (isCut || occupied.length === 0) return;
  const kinds = [...new Set(occupied.map(({ key }) => key.slice(keys.root.length).split("/")[0]))];
  throw new OperationError(
    "registry-not-empty",
    `${keys.root} is not empty: ${occupied.length} entries of ${kinds.join(", ")}; nothing was changed`,
    { next: "import into another registry; to go on with the cluster that is there: fleet registry adopt" },
  );
}

/** Marks the prefix as ours, and takes away what an import before left. The mark's revision, which every later write compares. */
async function begin({ registry, keys, newId }: ImportInput, entries: readonly Entry[]): Promise<number> {
  const mark = entries.find(({ key }) => key === keys.importing);
  const left = new Set(
    entries.filter((entry) => isOfCluster(keys, entry)).map(({ key }) => key.slice(keys.root.length).split("/")[0]),
  );
  const { succeeded, revision } = await registry.txn({
    when: [
      { key: keys.cluster, target: "create", is: "=", value: 0 },
      { key: keys.importing, target: "mod", is: "=", value: mark?.modRevision ?? 0 },
    ],
    then: [
      ...[...left].map((kind): Operation => ({ kind: "delete-prefix", prefix: `${keys.root}${kind}` })),
      { kind: "put", key: keys.importing, value: encodeRecord({ op: newId() }) },
    ],
  });
  if (!succeeded) throw somebodyElse();
  return revision;
}

async function writeIfOurs({ registry, keys }: ImportInput, mark: number, then: readonly Operation[]): Promise<void> {
  const { succeeded } = await registry.txn({ when: [ours(keys, mark)], then });
  if (!succeeded) throw somebodyElse();
}

/** What is left of each hold's time; it ends by itself as it would have. */
async function placeHolds(input: ImportInput, mark: number): Promise<void> {
  const { registry, keys, content, clock } = input;
  for (const { key, value } of content.entries.filter(({ key }) => key.startsWith("holds/"))) {
    const entry = { key: `${keys.root}${key}`, value, createRevision: 0, modRevision: 0, version: 0, lease: null };
    const hold = decodeHold(keys, entry);
    const leftMs = hold === null ? 0 : Date.parse(hold.at) + hold.forMs - clock.wallMs();
    if (!(leftMs >= LEASE_MIN_MS)) continue;
    const lease = await registry.grantLease(leftMs);
    await writeIfOurs(input, mark, [{ kind: "put", key: entry.key, value, lease }]);
  }
}

/** One transaction makes it a cluster. A lost reply is settled by looking: nobody else writes this record. */
async function finish(input: ImportInput, mark: number, identity: ClusterIdentity): Promise<void> {
  const { registry, keys, content } = input;
  const cluster = encodeRecord(identity);
  const last = content.entries.filter(({ key }) => LAST.has(key) && key !== "cluster");
  for (let attempt = 0; attempt < LAST_TRIES; attempt++) {
    const [term] = (await registry.list(keys.term, { exact: true })).entries;
    try {
      const { succeeded } = await registry.txn({
        when: [
          ours(keys, mark),
          { key: keys.cluster, target: "create", is: "=", value: 0 },
          { key: keys.term, target: "mod", is: "=", value: term?.modRevision ?? 0 },
        ],
        then: [
          { kind: "put", key: keys.cluster, value: cluster },
          ...putsOf(keys, last),
          { kind: "put", key: keys.term, value: encodeRecord({ term: Math.max(content.term, termOf(term)) }) },
          { kind: "delete", key: keys.importing },
        ],
      });
      if (succeeded) return;
    } catch (error) {
      if (!(error instanceof UnknownResultError)) throw error;
    }
    const entryOf = async (key: string) => (await registry.list(key, { exact: true })).entries[0];
    const now = await entryOf(keys.cluster);
    const released = await entryOf(keys.release);
    const still = await entryOf(keys.importing);
    if (now?.value === cluster && released?.value === last[0]?.value) return;
    if (still?.modRevision !== mark) throw somebodyElse();
  }
  throw new OperationError(
    "registry-busy",
    "engines of this registry write all the time; the import was not finished",
    {
      next: "stop the engines, and import again",
    },
  );
}

function termOf(entry: Entry | undefined): number {
  const decoded = entry === undefined ? null : decodeRecord<TermRecord>(entry.value, TERM_SHAPE);
  return decoded?.kind === "record" ? decoded.record.term : 0;
}

function putsOf(keys: RegistryKeys, entries: readonly ExportedEntry[]): Operation[] {
  return entries.map(({ key, value }) => ({ kind: "put", key: `${keys.root}${key}`, value }));
}

function inBatches(entries: readonly ExportedEntry[]): ExportedEntry[][] {
  const batches: ExportedEntry[][] = [];
  let characters = Number.POSITIVE_INFINITY;
  for (const entry of entries) {
    characters += entry.key.length + entry.value.length;
    if (characters > BATCH_CHARACTERS || batches.at(-1)!.length === BATCH_OPERATIONS) {
      batches.push([]);
      characters = entry.key.length + entry.value.length;
    }
    batches.at(-1)!.push(entry);
  }
  return batches;
}

const ours = (keys: RegistryKeys, mark: number): Compare => ({
  key: keys.importing,
  target: "mod",
  is: "=",
  value: mark,
});

function somebodyElse(): OperationError {
  return new OperationError("import-overtaken", "somebody else imports into this registry, or has applied to it", {
    next: "look at it: fleet status; and import again if it is still empty",
  });
}
