import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Quarantined } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { emptySnapshot } from "../domain/cluster/empty-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import { hasErrors } from "../domain/diagnostic.ts";
import type { CommitId, Sha256, UnitName } from "../domain/names.ts";
import { newlyUnplaceable } from "../domain/plan/newly-unplaceable.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { planChanges } from "../domain/plan/plan-changes.ts";
import { type PlanVerdict, planVerdict } from "../domain/plan/plan-verdict.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { CommitCompiler } from "./commit-compiler.ts";
import { readSnapshot } from "./read-snapshot.ts";
import { readSpecIndex } from "./read-spec-index.ts";

/** A registry and where in it the cluster stands. */
export interface Cluster {
  readonly registry: Registry;
  keysOf(cluster: string): RegistryKeys;
}

export type PlannedCommit =
  | { readonly kind: "rejected"; readonly diagnostics: readonly Diagnostic[] }
  | {
      readonly kind: "planned";
      readonly plan: Plan;
      readonly spec: ClusterSpec;
      /** The spec of the release in force; null where there is none, or this repository does not have its commit. */
      readonly released: ClusterSpec | null;
      readonly machines: readonly Machine[];
      readonly snapshot: ClusterSnapshot;
      /** Warnings and infos. */
      readonly diagnostics: readonly Diagnostic[];
      readonly quarantined: readonly Quarantined[];
      /** Units that no machine could ever hold, and that are not so already under the release in force. Sorted. */
      readonly newlyUnplaceable: readonly UnitName[];
      readonly verdict: PlanVerdict;
    };

/** What this commit would change. With no cluster (null) it says what would run; that is not an error. */
export async function planCommit(input: {
  readonly commit: CommitId;
  readonly compile: CommitCompiler;
  /** For the release's commit, where `compile` reads a working tree and no commits. */
  readonly compileReleased?: CommitCompiler;
  readonly cluster: Cluster | null;
  /** Which view of the commit this is, where it is not the whole commit; such a plan cannot be applied. */
  readonly partial: string | null;
  readonly sha256: Sha256;
}): Promise<PlannedCommit> {
  const { spec, diagnostics } = await input.compile(input.commit);
  if (spec === null || hasErrors(diagnostics)) return { kind: "rejected", diagnostics };
  const reading =
    input.cluster === null ? null : await readSnapshot(input.cluster.registry, input.cluster.keysOf(spec.cluster));
  if (reading?.newerVersion != null) {
    throw new OperationError("newer-fleet", `the registry holds records of version ${reading.newerVersion}`, {
      next: "use the fleet version the cluster runs",
    });
  }
  const snapshot = reading?.snapshot ?? emptySnapshot;
  const machines = machinesOf(spec, snapshot, new Set());
  const released = await releasedSpec(input.compileReleased ?? input.compile, spec, snapshot);
  const plan = planChanges({
    spec,
    released,
    snapshot,
    machines,
    commit: input.commit,
    partial: input.partial,
    sha256: input.sha256,
  });
  const previous =
    released === null
      ? await indexedUnits(input.cluster, spec.cluster, snapshot)
      : new Set(released.units.map((unit) => unit.name));
  return {
    kind: "planned",
    plan,
    spec,
    released,
    machines,
    snapshot,
    diagnostics,
    quarantined: reading?.quarantined ?? [],
    newlyUnplaceable: newlyUnplaceable(plan, snapshot, previous),
    verdict: planVerdict(plan, spec, machines),
  };
}

/** What runs now as a spec; null where this repository does not have the release's commit, a shallow clone say. */
async function releasedSpec(
  compile: CommitCompiler,
  spec: ClusterSpec,
  { release }: ClusterSnapshot,
): Promise<ClusterSpec | null> {
  if (release === null) return null;
  if (release.specHash === spec.specHash) return spec;
  try {
    const released = (await compile(release.commit)).spec;
    return released?.specHash === release.specHash ? released : null;
  } catch (error) {
    if (error instanceof OperationError && error.code === "commit-unknown") return null;
    throw error;
  }
}

/** Their names at least are in the registry. */
async function indexedUnits(
  cluster: Cluster | null,
  name: string,
  { release }: ClusterSnapshot,
): Promise<Set<UnitName>> {
  if (cluster === null || release === null) return new Set();
  const index = await readSpecIndex(cluster.registry, cluster.keysOf(name), release.specHash);
  return new Set(index.map((unit) => unit.name));
}
