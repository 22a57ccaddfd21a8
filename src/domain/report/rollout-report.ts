import type { ReleaseId, RolloutFailure, RolloutPhase, RolloutRecord } from "../rollout/rollout-record.ts";
import type { ClusterSpec, Ring } from "../spec/cluster-spec.ts";

/** How far the rollout of the release in force is; times are RFC 3339, by the engine's clock, for people. */
export interface RolloutReport {
  readonly seq: number;
  readonly phase: RolloutPhase;
  readonly since: string;
  /** What rings that are not open keep, and a rollback goes back to; null: nothing. */
  readonly base: ReleaseId | null;
  readonly openRings: number;
  /** The rings' names, in order. Absent: the commit has none. */
  readonly rings?: readonly string[];
  /** Replicas that it has changed, and that it has still to change. Absent: nobody counts while it stands still. */
  readonly changed?: number;
  readonly left?: number;
  /** Failures as in its record. */
  readonly failures: readonly RolloutFailure[];
  readonly noWayBack?: RolloutRecord["noWayBack"];
  /** What was changed in the last open ring is healthy and has to be so for `ms`; absent: nothing soaks. */
  readonly soak?: { readonly ms: number; readonly until: string };
  /** It would go on in that ring, were its window open. */
  readonly window?: { readonly ring: string; readonly text: string };
  /** Sets whose canaries have to be healthy for `ms`; at most BAKING_MAX. Absent: none. */
  readonly baking?: readonly { readonly set: string; readonly ms: number; readonly until: string }[];
}

const BAKING_MAX = 20;
/** Most rollouts are over sooner (what starts has to stay up for 5 s), and a report for each would tell nobody anything. Milliseconds. */
const BRIEF_MS = 10_000;

export interface RolloutTold {
  readonly record: RolloutRecord;
  readonly spec: Pick<ClusterSpec, "rings" | "units">;
  /** Absent: nobody counts while it stands still. */
  readonly counts?: { readonly changed: number; readonly left: number };
  /** Of `awaitedWindow`. */
  readonly awaits: number | null;
  /** Sets whose others wait for their canaries. */
  readonly baking: readonly { readonly set: string; readonly ms: number }[];
}

/** `until`: the time at which so many milliseconds from now are over, the same for as long as it is nearly the same. */
export function rolloutReport(
  { record, spec, counts, awaits, baking }: RolloutTold,
  until: (key: string, leftMs: number) => string,
): RolloutReport | null {
  if (record.phase === "done") return null;
  const { release, phase, since, base, openRings, soakedMs, failures, noWayBack, bakes } = record;
  const rings = spec.rings ?? [];
  const last = rings[openRings - 1];
  const awaited: Ring | undefined = rings[awaits ?? -1];
  const isSoaking = phase === "rolling" && soakedMs > 0 && last !== undefined;
  const healthyFor = new Map(bakes.map(({ set, healthyForMs }) => [set, healthyForMs]));
  const baked = baking
    .filter(({ set }) => healthyFor.has(set))
    .slice(0, BAKING_MAX)
    .map(({ set, ms }) => ({ set, ms, until: until(`bake ${set}`, ms - healthyFor.get(set)!) }));
  return {
    ...{ seq: release.seq, phase, since, base, openRings, failures },
    ...(rings.length === 0 ? {} : { rings: rings.map(({ name }) => name) }),
    ...counts,
    ...(noWayBack === undefined ? {} : { noWayBack }),
    ...(isSoaking && soakedMs < last.soakMs
      ? { soak: { ms: last.soakMs, until: until(`soak ${openRings}`, last.soakMs - soakedMs) } }
      : {}),
    ...(awaited?.window != null ? { window: { ring: awaited.name, text: awaited.window.text } } : {}),
    ...(baked.length === 0 ? {} : { baking: baked }),
  };
}

/** Whether people are told: of one that only goes on, once it has done so for longer than most; of one that waits for more time than that, at once. */
export function isWorthTelling({ phase, soak, window, baking = [] }: RolloutReport, forMs: number): boolean {
  if (phase !== "rolling" || forMs >= BRIEF_MS || window !== undefined) return true;
  return [soak, ...baking].some((wait) => wait !== undefined && wait.ms >= BRIEF_MS);
}
