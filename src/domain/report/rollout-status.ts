import type { ClusterSnapshot } from "../cluster/cluster-snapshot.ts";
import type { CommitId } from "../names.ts";
import { NO_ROLLOUTS, rolloutOf, type StoredOrder } from "../rollout/rollouts.ts";
import { nextOpening, parseWindow } from "../rollout/window.ts";
import type { EngineReport, EngineWait } from "./engine-report.ts";
import type { RolloutReport } from "./rollout-report.ts";

/** How far the rollout of the release in force is, for people: its record, and what the leading engine says beside it. Times are RFC 3339. */
export interface RolloutStatus extends Omit<RolloutReport, "window"> {
  readonly commit: CommitId;
  /** `opens`: by the clock of whoever asks. Null: a window this version cannot read. */
  readonly window?: NonNullable<RolloutReport["window"]> & { readonly opens: string | null };
  /** The last one that was given. Absent: none. */
  readonly order?: Pick<StoredOrder, "order" | "by" | "at" | "reason"> & {
    /** An engine has carried it out, or had nothing to do by it. */
    readonly obeyed: boolean;
  };
  /** How many failures are not judged: what was down before, and what somebody resumed in spite of. Absent: none. */
  readonly excused?: number;
  /** No engine leads, so that nothing goes on. Absent: one does. */
  readonly leaderless?: true;
  /** Changes that are decided and not made. */
  readonly waits: readonly EngineWait[];
}

/**
 * Null where the release in force has no record, because no engine has taken it up yet. The engine's word of another phase is older than
 * the record, and left out. `nowMs`: milliseconds since 1970; `timeText` writes such a time.
 */
export function rolloutStatus(
  { release, rollouts = NO_ROLLOUTS }: Pick<ClusterSnapshot, "release" | "rollouts">,
  report: EngineReport | null,
  nowMs: number,
  timeText: (ms: number) => string,
): RolloutStatus | null {
  const record = rolloutOf(rollouts, release);
  if (record === null) return null;
  const { phase, since, base, openRings, failures, noWayBack, excused = [], orderRevision } = record;
  const { seq, commit } = record.release;
  const isCurrent = report?.rollout?.seq === seq && report.rollout.phase === phase;
  const { window, ...told } = isCurrent ? report.rollout! : ({} as Partial<RolloutReport>);
  const given = rollouts.orders.find((one) => one.seq === seq);
  return {
    ...told,
    ...{ seq, commit, phase, since, base, openRings, failures },
    ...(noWayBack === undefined ? {} : { noWayBack }),
    ...(window === undefined ? {} : { window: { ...window, opens: opensAt(window.text, nowMs, timeText) } }),
    ...(given === undefined ? {} : { order: orderOf(given, orderRevision)! }),
    ...(excused.length === 0 ? {} : { excused: excused.length }),
    ...(report === null ? { leaderless: true } : {}),
    waits: report?.releaseSeq === seq ? (report.waits ?? []) : [],
  };
}

function orderOf({ seq: _seq, revision, ...order }: StoredOrder, orderRevision: number): RolloutStatus["order"] {
  return { ...order, obeyed: revision <= orderRevision };
}

function opensAt(text: string, nowMs: number, timeText: (ms: number) => string): string | null {
  const window = parseWindow(text);
  return "problem" in window ? null : timeText(nextOpening(window, nowMs));
}
