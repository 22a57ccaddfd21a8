import type { EngineReport, ReportList } from "./engine-report.ts";

/** Of each list: more are read by nobody, and who is asked for by name answers `fleet why`. */
const ENTRIES_MAX = 200;
/**
 * Of each list, in characters of its JSON. etcd takes 1.5 MiB in one request (`--max-request-bytes`), and a character has at most three bytes
 * there: seven lists of this stay below it, with room for the rest.
 */
const LIST_CHARACTERS_MAX = 64 * 1024;
/** Units of one group that fits nowhere: one group may hold all of a commit's. */
const GROUP_UNITS_MAX = 50;

/** The same report in a size that any registry takes: what is left out is counted in `more`. */
export function boundReport(report: EngineReport): EngineReport {
  const more: Partial<Record<ReportList, number>> = {};
  const cut = <T>(list: ReportList, entries: readonly T[]): readonly T[] => {
    const kept = fitting(entries);
    if (kept.length < entries.length) more[list] = entries.length - kept.length;
    return kept;
  };
  const { unplaced, absent, waits, stuckHandOffs, closed, deviations, loss, ...rest } = report;
  const bounded: EngineReport = {
    ...rest,
    unplaced: cut(
      "unplaced",
      unplaced.map((one) =>
        one.units.length <= GROUP_UNITS_MAX ? one : { ...one, units: one.units.slice(0, GROUP_UNITS_MAX) },
      ),
    ),
    ...(absent === undefined ? {} : { absent: cut("absent", absent) }),
    ...(waits === undefined ? {} : { waits: cut("waits", waits) }),
    ...(stuckHandOffs === undefined ? {} : { stuckHandOffs: cut("stuckHandOffs", stuckHandOffs) }),
    ...(closed === undefined ? {} : { closed: cut("closed", closed) }),
    ...(deviations === undefined ? {} : { deviations: cut("deviations", deviations) }),
    ...(loss === undefined ? {} : { loss: { ...loss, machines: cut("machines", loss.machines) } }),
  };
  return Object.keys(more).length === 0 ? bounded : { ...bounded, more };
}

function fitting<T>(entries: readonly T[]): readonly T[] {
  let characters = 0;
  const end = entries.slice(0, ENTRIES_MAX).findIndex((entry) => {
    characters += JSON.stringify(entry).length + 1;
    return characters > LIST_CHARACTERS_MAX;
  });
  return entries.slice(0, end === -1 ? ENTRIES_MAX : end);
}
