import type { EngineReport, ReportList } from "../domain/report/engine-report.ts";
import type { RolloutReport } from "../domain/report/rollout-report.ts";
import { HELD_CODES, type SyncReport } from "../domain/report/sync-report.ts";
import { decodeRecord, hasShape, type Shape } from "./record.ts";
import { REPORT_SHAPE, type ReportRecord } from "./registry-records.ts";

/** What an entry of each list must have; one that has not is left out, as another version may have written it. */
const ENTRIES: Readonly<Record<Exclude<ReportList, "machines">, Shape>> = {
  unplaced: { group: "string", units: "strings", kind: "string", because: "objects", nearest: "object?" },
  absent: { machine: "string", since: "string" },
  waits: { code: "string", units: "strings", more: "number", since: "string" },
  stuckHandOffs: { unit: "string", machine: "string", since: "string" },
  closed: { machine: "string", because: "string", stays: "objects" },
  deviations: { unit: "string", planned: "string", actual: "string", because: "object?", since: "string" },
};
const UNLISTED: Shape = { machine: "string", key: "string", since: "string" };
const REBOOT: Shape = { machine: "string", since: "string", wait: "object?" };
const LOSS: Shape = { mode: "string", outage: "object?", hold: "object?", machines: "objects", budget: "object?" };

const ROLLOUT: Shape = {
  ...{ seq: "number", phase: "string", since: "string", base: "object?", openRings: "number", failures: "objects" },
};
const HELD: Shape = { commit: "string", reason: "object?", since: "string" };
const TROUBLE: Shape = { code: "string", detail: "string", since: "string" };
const FAILURE: Shape = { unit: "string", machine: "string", because: "object?" };

/** Waits of kinds this version knows. */
const WAITS: ReadonlySet<unknown> = new Set(["wave", "hand-off", "prepare", "kept-out"]);

function isWhole({ code, for: blockers, because }: Record<string, unknown>): boolean {
  if (code === "wave") return Array.isArray(blockers);
  return code !== "kept-out" || (typeof because === "object" && because !== null);
}

/** An engine's word to people; null where it cannot be read. What of it cannot be, is left out. */
export function readReport(text: string): EngineReport | null {
  const decoded = decodeRecord<ReportRecord>(text, REPORT_SHAPE);
  if (decoded.kind !== "record") return null;
  const {
    unplaced,
    absent,
    waits,
    stuckHandOffs,
    closed,
    deviations,
    loss,
    reboots,
    unlisted,
    rollout,
    sync,
    ...rest
  } = decoded.record;
  return {
    ...rest,
    unplaced: entriesOf("unplaced", unplaced),
    ...listOf("absent", absent),
    ...listOf("waits", Array.isArray(waits) ? waits.filter((one) => WAITS.has(one?.code) && isWhole(one)) : waits),
    ...listOf("stuckHandOffs", stuckHandOffs),
    ...listOf("closed", closed),
    ...listOf("deviations", deviations),
    ...(Array.isArray(reboots) ? { reboots: reboots.filter((one) => hasShape(one, REBOOT)) } : {}),
    ...(Array.isArray(unlisted) ? { unlisted: unlisted.filter((one) => hasShape(one, UNLISTED)) } : {}),
    ...(loss !== undefined && hasShape(loss, LOSS) ? { loss } : {}),
    ...(rollout !== undefined && isRollout(rollout) ? { rollout } : {}),
    ...(sync === undefined ? {} : syncOf(sync)),
  };
}

/** What is held for a reason of a later fleet is not told wrongly. */
function syncOf(sync: unknown): Pick<EngineReport, "sync"> {
  if (typeof sync !== "object" || sync === null) return {};
  const { held, trouble } = sync as SyncReport;
  const isHeld = hasShape(held, HELD) && Object.hasOwn(HELD_CODES, String(held?.reason?.code));
  return {
    sync: {
      ...(isHeld && held !== undefined ? { held } : {}),
      ...(hasShape(trouble, TROUBLE) && trouble !== undefined ? { trouble } : {}),
    },
  };
}

function isRollout(rollout: unknown): boolean {
  if (!hasShape(rollout, ROLLOUT)) return false;
  const { failures, soak = null, window = null, baking = [] } = rollout as RolloutReport;
  return (
    failures.every((one) => hasShape(one, FAILURE) && hasShape(one.because, { code: "string", detail: "string" })) &&
    (soak === null || hasShape(soak, { ms: "number", until: "string" })) &&
    (window === null || hasShape(window, { ring: "string", text: "string" })) &&
    Array.isArray(baking) &&
    baking.every((one) => hasShape(one, { set: "string", ms: "number", until: "string" }))
  );
}

function listOf<List extends keyof typeof ENTRIES>(
  list: List,
  value: EngineReport[List],
): Pick<EngineReport, List> | Record<string, never> {
  return Array.isArray(value) ? ({ [list]: entriesOf(list, value) } as Pick<EngineReport, List>) : {};
}

function entriesOf<T>(list: keyof typeof ENTRIES, entries: readonly T[]): readonly T[] {
  return entries.filter((entry) => hasShape(entry, ENTRIES[list]));
}
