import { canonicalJson, type Json } from "../canonical-json.ts";
import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import { type CommitId, compareText, type Sha256 } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../placement/placed-now.ts";
import type { PlacementResult, Unplaced } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { basisOf } from "./basis-of.ts";
import { diffPlacements, machineOf } from "./diff-placements.ts";
import { type Change, type Plan, type PlanCounts, RULES_VERSION } from "./plan.ts";

export interface PlanInput {
  readonly spec: ClusterSpec;
  readonly snapshot: ClusterSnapshot;
  /** `machinesOf` the spec and the snapshot. */
  readonly machines: readonly Machine[];
  readonly commit: CommitId;
  /** Which view of the commit this is, or null for the whole commit. */
  readonly partial: string | null;
  readonly sha256: Sha256;
}

/**
 * What this commit would change, with no choices left in it. "Before" is what the registry has assigned, not what the release
 * before said. With no machine at all nothing is decided and nothing goes: units that would run are `unknown`.
 */
export function planChanges(input: PlanInput): Plan {
  const { spec, snapshot, sha256 } = input;
  const hasMachines = input.machines.length > 0;
  const before = placedNow(snapshot);
  const result = hasMachines
    ? placeUnits({ ...input, current: machinesOfUnits(before), preferred: new Map() })
    : NOTHING_PLACED;
  const changes = hasMachines ? diffPlacements(before, result.placements, spec) : [];
  const content = {
    specHash: spec.specHash,
    changes,
    placements: result.placements,
    waves:
      changes.length === 0
        ? []
        : [{ changes: changes.map((change) => ({ unit: change.unit, machine: machineOf(change) })) }],
  };
  const document = {
    ...content,
    v: 1,
    rules: RULES_VERSION,
    cluster: spec.cluster,
    clusterId: snapshot.identity?.id ?? null,
    commit: input.commit,
    base: {
      releaseSeq: snapshot.release?.seq ?? 0,
      releaseCommit: snapshot.release?.commit ?? null,
      basis: basisOf(snapshot, sha256),
    },
    machines: [...input.machines]
      .map(({ id, name }) => ({ id, name }))
      .sort((a, b) => compareText(a.name, b.name) || compareText(a.id, b.id)),
    unplaced: result.unplaced,
    counts: countsOf(changes, result),
    unknown: hasMachines ? [] : spec.units.filter((unit) => unit.goal !== "inactive").map((unit) => unit.name),
    partial: input.partial,
    contentId: contentIdOf(content, sha256),
  } as const;
  return { ...document, planId: planIdOf(document, sha256) };
}

const NOTHING_PLACED: PlacementResult = { placements: [], unplaced: [] };

/** sha256 of what a plan does, and of nothing that only explains it or says when and from where it was made. */
export function contentIdOf(plan: Pick<Plan, "specHash" | "changes" | "placements" | "waves">, sha256: Sha256): string {
  const withoutReason = <T extends { readonly reason: unknown }>({ reason: _, ...rest }: T) => rest;
  const content = {
    specHash: plan.specHash,
    changes: plan.changes.map(withoutReason),
    placements: plan.placements.map(withoutReason),
    waves: plan.waves,
  };
  return sha256(canonicalJson(content as unknown as Json));
}

/** sha256 of the whole document; the id itself, where there is one already, is left out. */
export function planIdOf(plan: Omit<Plan, "planId">, sha256: Sha256): string {
  return sha256(canonicalJson({ ...plan, planId: undefined } as unknown as Json));
}

function countsOf(changes: readonly Change[], { placements, unplaced }: PlacementResult): PlanCounts {
  const count = (action: Change["action"]) => changes.filter((change) => change.action === action).length;
  return {
    start: count("start"),
    load: count("load"),
    restart: count("restart"),
    move: count("move"),
    stop: count("stop"),
    remove: count("remove"),
    adopt: count("adopt"),
    unchanged: placements.length - changes.filter((change) => change.to !== null).length,
    unplaced: unplaced.reduce((sum: number, group: Unplaced) => sum + group.units.length, 0),
  };
}
