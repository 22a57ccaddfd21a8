import { encodePlan } from "../codec/plan/encode-plan.ts";
import { decodeRecord, encodeRecord } from "../codec/record.ts";
import { REGISTRY_ROOT, type RegistryKeys } from "../codec/registry-keys.ts";
import { CLUSTER_SHAPE, type IndexedUnit, RELEASE_SHAPE, type ReleaseRecord } from "../codec/registry-records.ts";
import type { ClusterIdentity, ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { Sha256 } from "../domain/names.ts";
import { basisOf } from "../domain/plan/basis-of.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { contentIdOf, planIdOf } from "../domain/plan/plan-changes.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { indexUnits } from "../domain/spec/index-units.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Compare, Operation, Registry } from "../ports/registry.ts";
import { readSnapshot } from "./read-snapshot.ts";

/** Units of a spec's index in one key: a 20,000-unit index is 200 keys, and decoding per key is what reading one costs. */
const UNITS_PER_CHUNK = 100;
/** Characters of a plan in one key: far below the 1.5 MiB a request may have. */
const PLAN_CHARACTERS_PER_CHUNK = 256 * 1024;
/** Releases whose history stays: enough to see a year of daily ones. */
const RELEASES_KEPT = 400;

export type Applied =
  | { readonly kind: "released"; readonly release: Release; readonly identity: ClusterIdentity }
  /** The release in force does this already; harmless. */
  | { readonly kind: "already"; readonly release: Release; readonly identity: ClusterIdentity }
  /** What the plan read has moved: nothing was changed. */
  | { readonly kind: "stale"; readonly release: Release | null };

export interface ApplyInput {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  /** The cluster's own source, not the working copy: the commit must be on its branch. */
  readonly source: GitSource;
  readonly sourceName: string;
  readonly branch: string;
  readonly manifest: string;
  readonly plan: Plan;
  readonly spec: ClusterSpec;
  readonly by: string;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
}

/**
 * Makes the plan's commit the cluster's release. The spec's index and the plan go first, immutable and content-addressed; then
 * one compare-and-swap of `release` makes all of it true. Dying before it changes nothing; after it everything has happened.
 */
export async function applyPlan(input: ApplyInput): Promise<Applied> {
  const { registry, keys, plan, spec } = input;
  refuseAltered(input);
  const snapshot = await readToWrite(input);
  const already = await alreadyApplied(input, snapshot);
  if (already !== null) return already;
  if (basisOf(snapshot, input.sha256) !== plan.base.basis) return staleOrAlready(plan, snapshot);
  await proveOnBranch(input);
  await proveForward(input, snapshot);
  const identity = snapshot.identity ?? (await newCluster(input));
  refuseOtherCluster(identity, input);
  await writeImmutable(registry, specOperations(keys, spec, input.sha256));
  await writeImmutable(registry, planOperations(keys, plan));
  return swapRelease(input, snapshot, identity);
}

/** A reading one may write by: none of the two records a release hangs on is newer than this fleet, or damaged. */
async function readToWrite({ registry, keys }: ApplyInput): Promise<ClusterSnapshot> {
  const { snapshot, newerVersion, quarantined } = await readSnapshot(registry, keys);
  if (newerVersion !== null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  const damaged = quarantined.find(({ key }) => key === keys.cluster || key === keys.release);
  if (damaged === undefined) return snapshot;
  throw new OperationError("record-damaged", `${damaged.key} cannot be read: ${damaged.problem}`, {
    next: "restore it from a backup of the registry",
  });
}

async function alreadyApplied(input: ApplyInput, { release, identity }: ClusterSnapshot): Promise<Applied | null> {
  if (release === null || identity === null) return null;
  if (release.commit === input.plan.commit) return { kind: "already", release, identity };
  // A re-run of an older apply after a newer one: the release descends from this commit, so it was applied before.
  const descends = await input.source.isAncestor(input.plan.commit, release.commit);
  return descends === "yes" ? { kind: "already", release, identity } : null;
}

/** Another commit with the same content, a squash of this one say, may have been applied in its place. */
function staleOrAlready(plan: Plan, { release, identity }: ClusterSnapshot): Applied {
  const isDone = release !== null && identity !== null && release.contentId === plan.contentId;
  return isDone ? { kind: "already", release, identity } : { kind: "stale", release };
}

/** What was reviewed is what is applied: a plan edited by hand has other contents than its ids say. */
function refuseAltered({ plan, sha256 }: ApplyInput): void {
  if (plan.partial !== null) {
    throw new OperationError("plan-partial", `this plan shows ${plan.partial} only and cannot be applied`, {
      next: "plan a whole commit",
    });
  }
  if (contentIdOf(plan, sha256) === plan.contentId && planIdOf(plan, sha256) === plan.planId) return;
  throw new OperationError("plan-altered", "the plan is not as it was made: its contents and its ids differ", {
    next: "plan again",
  });
}

async function proveOnBranch({ source, plan, branch, sourceName }: ApplyInput): Promise<void> {
  const answer = await source.isAncestor(plan.commit, await source.fetch());
  if (answer === "yes") return;
  throw new OperationError(
    "not-on-branch",
    answer === "no"
      ? `commit ${plan.commit.slice(0, 12)} is not on branch ${branch} of ${sourceName}`
      : `cannot tell whether commit ${plan.commit.slice(0, 12)} is on branch ${branch} of ${sourceName}: its history is too far back`,
    { next: "push it first, then apply" },
  );
}

/** Every node would refuse a release that does not descend from the one it accepted: then nothing would happen, in silence. */
async function proveForward({ source, plan }: ApplyInput, { release }: ClusterSnapshot): Promise<void> {
  if (release === null) return;
  const answer = await source.isAncestor(release.commit, plan.commit);
  if (answer === "yes") return;
  const [commit, before] = [plan.commit.slice(0, 12), release.commit.slice(0, 12)];
  throw new OperationError(
    "not-a-descendant",
    answer === "no"
      ? `commit ${commit} does not descend from ${before}, the commit of release ${release.seq}: its history was rewritten`
      : `cannot tell whether commit ${commit} descends from ${before}, the commit of release ${release.seq}`,
    { next: `go back by a commit on top (git revert), or put ${before} into the branch's history again` },
  );
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
  const { entries } = await input.registry.list(REGISTRY_ROOT);
  for (const entry of entries) {
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
  if (identity.manifest !== manifest) {
    throw new OperationError(
      "other-manifest",
      `cluster ${identity.name} is described by ${identity.manifest}, not by ${manifest}`,
      {
        next: `use --manifest ${identity.manifest}`,
      },
    );
  }
}

async function swapRelease(input: ApplyInput, snapshot: ClusterSnapshot, identity: ClusterIdentity): Promise<Applied> {
  const { registry, keys, plan } = input;
  const before = snapshot.release;
  const record: ReleaseRecord = {
    seq: (await lastSeq(input, snapshot)) + 1,
    commit: plan.commit,
    specHash: plan.specHash,
    contentId: plan.contentId,
    planId: plan.planId,
    parent: before?.contentId ?? null,
    by: input.by,
    at: new Date(input.clock.wallMs()).toISOString(),
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
  return { kind: "stale", release: (await readSnapshot(registry, keys)).snapshot.release };
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

/** Content-addressed: writing them twice is harmless, so a lost reply needs no thought. Two a transaction stay under its size. */
async function writeImmutable(registry: Registry, operations: readonly Operation[]): Promise<void> {
  for (let start = 0; start < operations.length; start += 2) {
    await registry.txn({ when: [], then: operations.slice(start, start + 2) });
  }
}
