import type { ClusterSnapshot, PlacedUnit } from "../cluster/cluster-snapshot.ts";
import type { Machine } from "../cluster/machine.ts";
import type { Sha256, UnitHash, UnitName } from "../names.ts";
import type { Placement } from "../placement/placement.ts";
import type { Settling } from "../rollout/judge-settling.ts";
import { nextWrites } from "../rollout/next-writes.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";

/** A commit on its way into the machine that follows git alone. */
export interface StandaloneChange {
  readonly spec: ClusterSpec;
  /** Of the commit before; null where it is not known: then what goes is not ordered. */
  readonly released: ClusterSpec | null;
  readonly machine: Machine;
  /** Where it is to end. */
  readonly wanted: readonly Placement[];
  /** What was placed when it came. */
  readonly base: ReadonlyMap<UnitName, UnitHash>;
  /** Of the last step; empty in the first. */
  readonly settling: readonly Settling[];
}

export interface StandaloneStep {
  /** What is to run now; sorted by unit. */
  readonly placements: readonly PlacedUnit[];
  readonly settling: readonly Settling[];
  /** Units whose wave has not come; sorted. */
  readonly held: readonly UnitName[];
  /** Units that this commit has changed and that failed: while they have, no wave begins; sorted. */
  readonly failed: readonly UnitName[];
}

/**
 * The next wave of a commit within one machine, by the rules an engine goes by: replicas within their budgets, what is ordered in its order,
 * each settled before the next. Whoever asks again and again, with what the agent tells meanwhile, comes to the end. A failure is no
 * memory: it holds the rest for as long as it lasts.
 */
export function nextStandaloneSet(
  change: StandaloneChange,
  snapshot: ClusterSnapshot,
  nowMs: number,
  sha256: Sha256,
): StandaloneStep {
  const { spec, released, machine, wanted, base, settling } = change;
  const now = snapshot.sets.find((set) => set.machine === machine.id)?.placements ?? [];
  const statuses = new Map(snapshot.statuses.map((status) => [status.unit, status]));
  const failed = now
    .filter(({ unit, hash }) => {
      const status = statuses.get(unit);
      if (status === undefined || base.get(unit) === hash || status.hash !== hash) return false;
      return status.active === "failed" || status.problem !== null;
    })
    .map(({ unit }) => unit);
  const next = nextWrites({
    ...{ spec, released, snapshot, hasStatuses: true, machines: [machine], wanted, settling },
    ...{ watchesAll: true, nowMs, sha256 },
  });
  const held = next.held.map(({ unit }) => unit);
  if (failed.length > 0) return { placements: now, settling, held: unitsOf(next.changes), failed };
  const placements = next.placements.map(({ unit, hash, goal }) => ({ unit, hash, goal }));
  return { placements, settling: next.settling, held, failed };
}

function unitsOf(changes: readonly { readonly unit: UnitName }[]): UnitName[] {
  return changes.map(({ unit }) => unit);
}
