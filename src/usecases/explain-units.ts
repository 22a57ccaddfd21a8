import { MANIFEST_BYTES_MAX, readManifest } from "../codec/manifest/read-manifest.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { Hold } from "../domain/cluster/hold.ts";
import type { CommitId, Sha256, UnitName } from "../domain/names.ts";
import { placedNow } from "../domain/placement/placed-now.ts";
import { RULES_VERSION } from "../domain/plan/plan.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import type { RolloutStatus } from "../domain/report/rollout-status.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { UnitIndexEntry } from "../domain/spec/index-units.ts";
import type { Manifest } from "../domain/spec/manifest.ts";
import type { Leader } from "../domain/why/engine-links.ts";
import { type KnownCommit, UnitExplainer } from "../domain/why/explain-units.ts";
import { type FoundUnits, findUnits, type KnownNames } from "../domain/why/find-units.ts";
import type { UnitExplanation } from "../domain/why/unit-explanation.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { readPlan } from "./read-plan.ts";
import { specAt } from "./spec-at.ts";

/** What the looking commands read of a cluster. */
export interface ClusterReading {
  readonly snapshot: ClusterSnapshot;
  readonly leader: Leader | null;
  readonly report: EngineReport | null;
  readonly rollout?: RolloutStatus | null;
  readonly holds: readonly Hold[];
  readonly index: readonly UnitIndexEntry[];
}

/** The repository somebody stands in. */
export interface StandingRepository {
  readonly source: Pick<GitSource, "listFiles" | "readBlob" | "resolve" | "describeCommit">;
  readonly compile: CommitCompiler;
  /** Of the working tree; null where there is none. */
  readonly compileWorktree: CommitCompiler | null;
  readonly manifestPath: string;
}

export interface ExplainedUnits {
  /** In the order asked, each unit once. */
  readonly explanations: readonly UnitExplanation[];
  readonly unknown: readonly Extract<FoundUnits, { kind: "unknown" }>[];
}

/**
 * Why each of these units is as it is. Nothing is needed but the registry; where the repository has the release's commit, its files and
 * lines, and the deciders asked anew, are part of it.
 */
export async function explainUnits(input: {
  readonly asked: readonly string[];
  readonly reading: ClusterReading;
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  /** Null where the command stands in none. */
  readonly repository: StandingRepository | null;
  readonly sha256: Sha256;
}): Promise<ExplainedUnits> {
  const { asked, reading, registry, keys, repository, sha256 } = input;
  const { release } = reading.snapshot;
  const commit = release === null || repository === null ? null : await knownCommit(repository, release);
  const head = repository === null ? null : await knownHead(repository, reading.snapshot);
  const known = knownNames(reading, commit, head?.spec ?? null);
  const first = asked.map((text) => findUnits(text, known));
  const worktree = first.some(({ kind }) => kind === "unknown") ? await worktreeNames(repository) : null;
  const found = first.map((one, place) =>
    one.kind === "found" ? one : findUnits(asked[place]!, { ...known, worktree }),
  );
  const plan = release === null || commit === null ? null : await readPlan(registry, keys, release.planId);
  const planned = plan?.rules === RULES_VERSION ? plan.placements : [];
  const explainer = new UnitExplainer({
    ...reading,
    commit,
    head,
    planned: new Map(planned.map(({ unit, machine }) => [unit, machine])),
    sha256,
  });
  const units = new Set(found.flatMap((one) => (one.kind === "found" ? one.units : [])));
  return {
    explanations: [...units].flatMap((unit) => explainer.explain(unit)),
    unknown: found.filter((one) => one.kind === "unknown"),
  };
}

function knownNames(reading: ClusterReading, commit: KnownCommit | null, head: ClusterSpec | null): KnownNames {
  const { snapshot, index } = reading;
  return {
    cluster: new Set<UnitName>([
      ...placedNow(snapshot).keys(),
      ...index.map(({ name }) => name),
      ...(commit?.spec.units.map(({ name }) => name) ?? []),
    ]),
    head: head === null ? null : new Set(head.units.map(({ name }) => name)),
    worktree: null,
  };
}

/** Under another manifest, or by a fleet that compiles otherwise, it is not what the cluster runs. */
async function knownCommit(repository: StandingRepository, { commit, specHash }: Release): Promise<KnownCommit | null> {
  const spec = await specAt(repository.compile, commit);
  if (spec?.specHash !== specHash) return null;
  const { subject, author } = await repository.source.describeCommit(commit);
  return { spec, manifest: await manifestAt(repository, commit), subject, author };
}

/** The commit the repository has out, unless it is the release's, or none this cluster could run. */
async function knownHead(
  { source, compile }: StandingRepository,
  { release, identity }: ClusterSnapshot,
): Promise<{ readonly commit: CommitId; readonly spec: ClusterSpec } | null> {
  const commit = await source.resolve("HEAD");
  if (commit === null || commit === release?.commit) return null;
  const { spec } = await compile(commit);
  return spec === null || spec.cluster !== identity?.name ? null : { commit, spec };
}

/** Null where the commit has none, or none that can be read. */
export async function manifestAt(
  {
    source,
    manifestPath,
  }: Pick<StandingRepository, "manifestPath"> & {
    readonly source: Pick<GitSource, "listFiles" | "readBlob">;
  },
  commit: CommitId,
): Promise<Manifest | null> {
  const file = (await source.listFiles(commit, [manifestPath])).find(({ path }) => path === manifestPath);
  if (file === undefined) return null;
  return readManifest(manifestPath, await source.readBlob(file.oid, MANIFEST_BYTES_MAX)).manifest;
}

/** A working tree that does not compile has no names: its author has another command for that. */
async function worktreeNames(repository: StandingRepository | null): Promise<ReadonlySet<UnitName> | null> {
  if (repository?.compileWorktree == null) return null;
  const commit = await repository.source.resolve("HEAD");
  if (commit === null) return null;
  try {
    const { spec } = await repository.compileWorktree(commit);
    return spec === null ? null : new Set(spec.units.map(({ name }) => name));
  } catch (error) {
    if (error instanceof OperationError) return null;
    throw error;
  }
}
