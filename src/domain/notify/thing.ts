import type { CommitId, UnitName } from "../names.ts";
import type { EngineReport } from "../report/engine-report.ts";

/** Something that is so now and that somebody may want to be told of. */
export type Thing =
  | { readonly event: "failed"; readonly unit: UnitName; readonly machine: string; readonly detail: string }
  /** A rollout that goes no further because a change failed. */
  | { readonly event: "held"; readonly seq: number; readonly commit: CommitId; readonly units: readonly UnitName[] }
  /** A commit of the branch that is not released; `code` as of `HeldReason`. */
  | { readonly event: "held"; readonly seq: null; readonly commit: CommitId; readonly code: string }
  | {
      readonly event: "rolled-back";
      readonly seq: number;
      readonly commit: CommitId;
      readonly units: readonly UnitName[];
    }
  /** The cluster does not follow: its engine places nothing, or the branch could not be read for long. */
  | { readonly event: "stale"; readonly because: "engine" | "branch"; readonly detail: string };

/** A unit that is to run and that its machine says has failed. */
export interface FailedUnit {
  readonly unit: UnitName;
  /** Its name. */
  readonly machine: string;
  readonly detail: string;
}

/** Units of a rollout that are named. */
const UNITS_MAX = 5;

/** Over by itself in a moment, as a rule. */
const PASSING: ReadonlySet<string> = new Set(["locked"]);

/** Everything there is to tell of by now; sorted by event, then by what it is about. `commit`: of the release in force. */
export function thingsOf(
  commit: CommitId,
  report: Pick<EngineReport, "problem" | "rollout" | "sync"> | null,
  failed: readonly FailedUnit[],
): readonly Thing[] {
  const things: Thing[] = failed.map((unit) => ({ event: "failed", ...unit }));
  const rollout = report?.rollout;
  if (rollout !== undefined && rollout.failures.length > 0) {
    const units = [...new Set(rollout.failures.map(({ unit }) => unit))].slice(0, UNITS_MAX);
    const told = { seq: rollout.seq, commit, units };
    if (rollout.phase === "held") things.push({ event: "held", ...told });
    if (rollout.phase === "rolling-back" || rollout.phase === "rolled-back")
      things.push({ event: "rolled-back", ...told });
  }
  const { held, trouble } = report?.sync ?? {};
  if (held !== undefined && !PASSING.has(held.reason.code))
    things.push({ event: "held", seq: null, commit: held.commit, code: held.reason.code });
  if (trouble?.isFrozen) things.push({ event: "stale", because: "branch", detail: trouble.detail });
  if (report?.problem != null) things.push({ event: "stale", because: "engine", detail: report.problem });
  return things.sort((a, b) => (keyOf(a) < keyOf(b) ? -1 : 1));
}

/** The same for as long as it is the same thing: it is told of once. */
export function keyOf(thing: Thing): string {
  switch (thing.event) {
    case "failed":
      return `failed ${thing.unit} ${thing.machine}`;
    case "held":
      return thing.seq === null ? `held ${thing.commit} ${thing.code}` : `held @${thing.seq}`;
    case "rolled-back":
      return `rolled-back @${thing.seq}`;
    case "stale":
      return `stale ${thing.because}`;
  }
}
