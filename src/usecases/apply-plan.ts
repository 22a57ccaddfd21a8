import { encodePlan } from "../codec/plan/encode-plan.ts";
import { decodeRecord, encodeRecord } from "../codec/record.ts";
import { REGISTRY_ROOT, type RegistryKeys } from "../codec/registry-keys.ts";
import { CLUSTER_SHAPE, type IndexedUnit, RELEASE_SHAPE, type ReleaseRecord } from "../codec/registry-records.ts";
import type { ClusterIdentity, ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, Sha256 } from "../domain/names.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { whatMoved } from "../domain/plan/what-moved.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { indexUnits } from "../domain/spec/index-units.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Compare, Entry, Operation, Registry } from "../ports/registry.ts";
import { judgeBasis, type Settled } from "./judge-basis.ts";
import { proveCommit, type SourceBranch } from "./prove-commit.ts";
import { readToWrite } from "./read-to-write.ts";
import { refuseOtherDriver } from "./refuse-other-driver.ts";
import { refusePlan } from "./refuse-plan.ts";
import { refuseReplaced } from "./refuse-replaced.ts";

/** Units of a spec's index in one key: a 20,000-unit index is 200 keys, and decoding per key is what reading one costs. */
const UNITS_PER_CHUNK = 100;
/** Characters of a plan in one key: far below the 1.5 MiB a request may have. */
const PLAN_CHARACTERS_PER_CHUNK = 256 * 1024;
/** Releases whose history stays: enough to see a year of daily ones. */
const RELEASES_KEPT = 400;

export type Applied =
  | { readonly kind: "released"; readonly release: Release; readonly identity: ClusterIdentity }
  /** Nothing was changed. */
  | Settled;

export interface ApplyInput extends SourceBranch {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly manifest: string;
  readonly plan: Plan;
  /** The commit to release, where it is not the plan's own: `commitOfPlan` found that it does the same. */
  readonly commit?: CommitId;
  /** Of the commit to release, and of the plan. */
  readonly spec: ClusterSpec;
  readonly by: string;
  /** Who asks: an engine that follows the branch. Absent: whoever says `fleet apply`. */
  readonly driver?: "sync";
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
}

/**
 * Makes the plan's commit the cluster's release. The spec's index and the plan go first, immutable and content-addressed; then
 * one compare-and-swap of `release` makes all of it true. Dying before it changes nothing; after it everything has happened.
 */
export async function applyPlan(input: ApplyInput): Promise<Applied> {
  return (await provePlan(input)) ?? releasePlan(input);
}

/**
 * Whether the plan may become a release: null, or that there is nothing to do. Throws what forbids it. Writes nothing, and asks the source,
 * which may take its time: whoever keeps others from applying does so only from here on.
 */
export async function provePlan(input: ApplyInput): Promise<Settled | null> {
  const { registry, keys, plan } = input;
  refusePlan(plan, input.sha256);
  const snapshot = await readToWrite(registry, keys);
  refuseReplaced(snapshot);
  const settled = await judgeBasis(await basisFor(input), snapshot);
  if (settled !== null) return settled;
  refuseOtherDriver(snapshot.release, input.driver ?? "apply");
  const problem = await proveCommit(input.commit ?? plan.commit, snapshot.release, input);
  if (problem !== null) throw problem;
  await clusterFor(input, snapshot);
  return null;
}

/** Of a plan that is proved: it holds for as long as nobody else's release comes, and that moves the basis. */
export async function releasePlan(input: ApplyInput): Promise<Applied> {
  const { registry, keys, plan, spec } = input;
  const snapshot = await readToWrite(registry, keys);
  refuseReplaced(snapshot);
  const settled = await judgeBasis(await basisFor(input), snapshot);
  if (settled !== null) return settled;
  const identity = await clusterFor(input, snapshot);
  await writeImmutable(registry, specOperations(keys, spec, input.sha256));
  await writeImmutable(registry, planOperations(keys, plan));
  const released = await swapRelease(input, snapshot, identity);
  if (released !== null) return released;
  // Somebody else's release came first, and no plan's basis survives that.
  const now = await readToWrite(registry, keys);
  return (
    (await judgeBasis(await basisFor(input), now)) ?? {
      kind: "stale",
      moved: whatMoved(plan, now, null),
      snapshot: now,
    }
  );
}

async function basisFor(input: ApplyInput): Promise<Parameters<typeof judgeBasis>[0]> {
  const { registry, keys, plan, spec, sha256, rewinds } = input;
  // Whoever goes back on purpose goes where all of the way since began: that is not "applied already".
  const isBack = ((await rewinds?.to(input.commit ?? plan.commit)) ?? null) !== null;
  return { registry, keys, plan, source: isBack ? null : input.source, specOf: async () => spec, sha256 };
}

async function clusterFor(input: ApplyInput, snapshot: ClusterSnapshot): Promise<ClusterIdentity> {
  const identity = snapshot.identity ?? (await newCluster(input));
  refuseOtherCluster(identity, input);
  return identity;
}

/** The first apply mints the cluster; a renamed or copied manifest is caught here, before it adds everything again. */
async function newCluster(input: ApplyInput): Promise<ClusterIdentity> {
  await refuseRenamedManifest(input);
  return {
    id: input.newId(),
    name: input.spec.cluster,
    source: input.sourceName,
    branch: input.branch,
    manifest: input.manifest,
    epoch: 1,
  };
}

async function refuseRenamedManifest(input: ApplyInput): Promise<void> {
  for (const entry of await listClusters(input.registry)) {
    if (!/^\/fleet\/[^/]+\/cluster$/.test(entry.key)) continue;
    const decoded = decodeRecord<ClusterIdentity>(entry.value, CLUSTER_SHAPE);
    if (decoded.kind !== "record") continue;
    const { source, branch, manifest, name } = decoded.record;
    if (source !== input.sourceName || branch !== input.branch || manifest !== input.manifest) continue;
    throw new OperationError(
      "cluster-renamed",
      `this repository already is cluster ${name} in this registry, and its manifest now says ${input.spec.cluster}`,
      { next: `name it ${name} again, or use another registry for a new cluster` },
    );
  }
}

/** A driver whose role in etcd is of one cluster alone cannot look beside it, nor make another one there. */
async function listClusters(registry: Registry): Promise<readonly Entry[]> {
  try {
    return (await registry.list(REGISTRY_ROOT)).entries;
  } catch (error) {
    if (error instanceof OperationError && error.code === "registry-denied") return [];
    throw error;
  }
}

function refuseOtherCluster(identity: ClusterIdentity, { plan, spec, manifest }: ApplyInput): void {
  if (identity.name !== spec.cluster || (plan.clusterId !== null && plan.clusterId !== identity.id)) {
    throw new OperationError(
      "other-cluster",
      `the plan is for another cluster than ${identity.name} (${identity.id.slice(0, 8)})`,
      {
        next: "plan again against this registry",
      },
    );
  }
  refuseOtherManifest(identity, manifest);
}

/** Another manifest of the repository must not take over a cluster's name. */
export function refuseOtherManifest(identity: ClusterIdentity, manifest: string): void {
  if (identity.manifest === manifest) return;
  throw new OperationError(
    "other-manifest",
    `cluster ${identity.name} is described by ${identity.manifest}, not by ${manifest}`,
    { next: `use --manifest ${identity.manifest}` },
  );
}

/** Null where another release was swapped in since the snapshot. */
async function swapRelease(
  input: ApplyInput,
  snapshot: ClusterSnapshot,
  identity: ClusterIdentity,
): Promise<Applied | null> {
  const { registry, keys, plan } = input;
  const before = snapshot.release;
  const record: ReleaseRecord = {
    seq: (await lastSeq(input, snapshot)) + 1,
    commit: input.commit ?? plan.commit,
    specHash: plan.specHash,
    contentId: plan.contentId,
    planId: plan.planId,
    parent: before?.contentId ?? null,
    by: input.by,
    at: new Date(input.clock.wallMs()).toISOString(),
    ...(input.spec.driver === undefined ? {} : { driver: input.spec.driver.by }),
    op: input.newId(),
  };
  const { op: _op, ...release } = record;
  const value = encodeRecord(record);
  const forgotten = record.seq - RELEASES_KEPT;
  const minted: Operation[] =
    snapshot.identity === null ? [{ kind: "put", key: keys.cluster, value: encodeRecord(identity) }] : [];
  try {
    const result = await registry.txn({
      when: [
        { key: keys.release, target: "mod", is: "=", value: snapshot.releaseModRevision },
        // Create-only, and with its first release: a cluster nobody finished making is none.
        ...minted.map((): Compare => ({ key: keys.cluster, target: "create", is: "=", value: 0 })),
      ],
      then: [
        ...minted,
        { kind: "put", key: keys.release, value },
        { kind: "put", key: keys.releaseAt(record.seq), value },
        ...(forgotten > 0 ? [{ kind: "delete", key: keys.releaseAt(forgotten) } as const] : []),
      ],
    });
    if (result.succeeded) return { kind: "released", release, identity };
  } catch (error) {
    if (!(await isOurs(registry, keys, record))) throw error;
    return { kind: "released", release, identity };
  }
  return null;
}

/** A release key that was deleted leaves its history: a number used twice would be one that every machine has had already. */
async function lastSeq({ registry, keys }: ApplyInput, { release, identity }: ClusterSnapshot): Promise<number> {
  if (release !== null) return release.seq;
  if (identity === null) return 0;
  const { entries } = await registry.list(keys.releaseAt(0).replace(/[^/]*$/, ""));
  return Number(entries.at(-1)?.key.replace(/^.*\//, "") ?? 0);
}

/** After a lost reply: whether the release that took our number is ours. The history tells even if a newer one is in force. */
async function isOurs(registry: Registry, keys: RegistryKeys, record: ReleaseRecord): Promise<boolean> {
  const entry = (await registry.list(keys.releaseAt(record.seq), { exact: true })).entries[0];
  if (entry === undefined) return false;
  const decoded = decodeRecord<ReleaseRecord>(entry.value, RELEASE_SHAPE);
  return decoded.kind === "record" && decoded.record.op === record.op;
}

function specOperations(keys: RegistryKeys, spec: ClusterSpec, sha256: Sha256): Operation[] {
  const units: readonly IndexedUnit[] = indexUnits(spec, sha256);
  const chunks = Math.max(1, Math.ceil(units.length / UNITS_PER_CHUNK));
  return Array.from({ length: chunks }, (_, chunk) => ({
    kind: "put",
    key: keys.specChunk(spec.specHash, chunk),
    value: encodeRecord({ units: units.slice(chunk * UNITS_PER_CHUNK, (chunk + 1) * UNITS_PER_CHUNK) }),
  }));
}

function planOperations(keys: RegistryKeys, plan: Plan): Operation[] {
  const text = encodePlan(plan);
  const chunks = Math.ceil(text.length / PLAN_CHARACTERS_PER_CHUNK);
  return Array.from({ length: chunks }, (_, chunk) => ({
    kind: "put",
    key: keys.planChunk(plan.planId, chunk),
    value: encodeRecord({
      text: text.slice(chunk * PLAN_CHARACTERS_PER_CHUNK, (chunk + 1) * PLAN_CHARACTERS_PER_CHUNK),
    }),
  }));
}

/** The index of a release whose registry has lost it. */
export async function writeSpecIndex(
  registry: Registry,
  keys: RegistryKeys,
  spec: ClusterSpec,
  sha256: Sha256,
): Promise<void> {
  await writeImmutable(registry, specOperations(keys, spec, sha256));
}

/** Content-addressed: writing them twice is harmless, so a lost reply needs no thought. Two a transaction stay under its size. */
async function writeImmutable(registry: Registry, operations: readonly Operation[]): Promise<void> {
  for (let start = 0; start < operations.length; start += 2) {
    await registry.txn({ when: [], then: operations.slice(start, start + 2) });
  }
}
