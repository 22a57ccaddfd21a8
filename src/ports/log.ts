import type { UnitName } from "../domain/names.ts";

/**
 * How much a line matters, by the names and in the order of syslog and of systemd's journal: `err` needs a person, `warning` may need one
 * if it goes on, `notice` is what one looks for later (a release was taken), `info` is what was done.
 */
export type LogPriority = "err" | "warning" | "notice" | "info";

export interface LogLine {
  readonly priority: LogPriority;
  /** The unit it is about, so that it is found where people look for it: among that unit's own lines. */
  readonly unit?: UnitName;
  /** For people, without secrets; may have several lines. */
  readonly message: string;
}

/** The journal of a daemon. Never fails: a daemon that cannot be heard does its work all the same. */
export type Log = (line: LogLine) => void;

/** A line of that priority, about a unit where one is named. */
export const [err, warning, notice, info] = (["err", "warning", "notice", "info"] as const).map(
  (priority) =>
    (message: string, unit?: UnitName): LogLine => ({ priority, message, ...(unit === undefined ? {} : { unit }) }),
) as [LineMaker, LineMaker, LineMaker, LineMaker];

type LineMaker = (message: string, unit?: UnitName) => LogLine;

/** What the world refused and will be asked again, under the code that documentation and searches go by. */
export function refusal({ code, message }: { readonly code: string; readonly message: string }): LogLine {
  return warning(`${code}: ${message}`);
}
