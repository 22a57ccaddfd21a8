import type { UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { RolloutChange, RolloutInput } from "./plan-rollout.ts";
import { EXCUSED_MAX, type ReleaseId, type RolloutRecord } from "./rollout-record.ts";

/**
 * The record of a release that has none. `before`: of the newest release before it that has one: what it has proved, or what it was
 * itself to go back to. Without records, in a cluster older than they are, nothing is known to have ended well: there is no base, and where
 * everything is as the release wants it, it is done at the first look.
 */
export function startRollout(
  { seq, commit, specHash }: ReleaseId,
  before: RolloutRecord | null,
  since: string,
): RolloutRecord {
  return {
    release: { seq, commit, specHash },
    base: before === null ? null : baseAfter(before),
    phase: "rolling",
    openRings: 1,
    soakedMs: 0,
    bakes: [],
    failures: [],
    orderRevision: 0,
    since,
  };
}

/** The last release that ended well, once this one is over, however it ended. */
export function baseAfter({ phase, release, base }: RolloutRecord): ReleaseId | null {
  return phase === "done" ? release : base;
}

/** Whether a record is this release's: after a registry was replaced, numbers begin anew. */
export function isRolloutOf({ release }: RolloutRecord, { seq, commit }: Pick<ReleaseId, "seq" | "commit">): boolean {
  return release.seq === seq && release.commit === commit;
}

/**
 * What is down as a rollout begins, and is not started by it, has not failed by it. By what is seen before its first write; a next leader
 * would see its own failures there.
 */
export function excusedAtStart(
  record: RolloutRecord,
  before: ReadonlyMap<UnitName, readonly PlacedSide[]>,
  { stateOf, changes }: { readonly stateOf: RolloutInput["stateOf"]; readonly changes: readonly RolloutChange[] },
): RolloutRecord {
  const starts = changes
    .filter(({ effect }) => !LEAVES_ALONE.has(effect))
    .map(({ unit, from, to }) => `${unit}/${(to ?? from)!.machine}`);
  const started = new Set(starts);
  const excused = [...before]
    .flatMap(([unit, sides]) => sides.map(({ machine }) => ({ unit, machine })))
    .filter(({ unit, machine }) => stateOf(unit, machine) === "down" && !started.has(`${unit}/${machine}`))
    .slice(0, EXCUSED_MAX);
  return excused.length === 0 ? record : { ...record, excused };
}

/** What leaves a unit that did not run as it was. */
const LEAVES_ALONE: ReadonlySet<RolloutChange["effect"]> = new Set(["daemon-reload", "quiet"]);
