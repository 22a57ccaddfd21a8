import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import type { Sha256 } from "../domain/names.ts";
import { basisOf } from "../domain/plan/basis-of.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { type Moved, whatMoved } from "../domain/plan/what-moved.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { Registry } from "../ports/registry.ts";
import { findApplied } from "./find-applied.ts";

/** Why a plan is not, or no longer, to be applied. */
export type Settled =
  /** That release did it already; harmless. `inForce` may be a later one. */
  | {
      readonly kind: "already";
      readonly release: Release;
      readonly inForce: Release;
      readonly snapshot: ClusterSnapshot;
    }
  /** What the plan read has moved. */
  | { readonly kind: "stale"; readonly moved: readonly Moved[]; readonly snapshot: ClusterSnapshot };

/** Whether the cluster is still as the plan read it: null. `specOf` gives the plan's spec, or null where nobody here knows it. */
export async function judgeBasis(
  input: {
    readonly registry: Registry;
    readonly keys: RegistryKeys;
    readonly plan: Plan;
    /** To ask for ancestry, where there is one. */
    readonly source: GitSource | null;
    readonly specOf: () => Promise<ClusterSpec | null>;
    readonly sha256: Sha256;
  },
  snapshot: ClusterSnapshot,
): Promise<Settled | null> {
  const { registry, keys, plan, source } = input;
  const release = await findApplied(registry, keys, plan, snapshot, source);
  if (release !== null) return { kind: "already", release, inForce: snapshot.release ?? release, snapshot };
  if (basisOf(snapshot, plan, input.sha256) === plan.base.basis) return null;
  const spec = await input.specOf();
  const machines = spec === null ? null : machinesOf(spec, snapshot, new Set());
  return { kind: "stale", moved: whatMoved(plan, snapshot, machines), snapshot };
}
