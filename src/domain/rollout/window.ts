import type { Window } from "../spec/cluster-spec.ts";

/** What a window must be, for people. */
export const WINDOW_FORM =
  "days, times and a zone, such as Mon..Thu 02:00-04:00 Europe/Berlin (days and zone may be left out)";

const DAYS = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];
const EVERY_DAY = [0, 1, 2, 3, 4, 5, 6];
const MINUTE_MS = 60_000;
const DAY_MINUTES = 1_440;
/** Long enough for seven days by name and the longest zone there is. */
const WINDOW_MAX = 120;
/** Transitions between now and the next opening; zones have two a year, and a window comes back within two weeks. */
const TRANSITIONS_MAX = 8;

/**
 * Reads `[DAYS] HH:MM-HH:MM [ZONE]`: days as `Mon..Thu`, `Sat,Sun`, both, or `daily`; times of one day, or over midnight; `24:00` is
 * the end of a day. The problem is a sentence's part, fit for a diagnostic's `saw`. A zone is one this Node knows.
 */
export function parseWindow(text: string): Window | { readonly problem: string } {
  const shown = JSON.stringify(text.slice(0, WINDOW_MAX));
  const match = /^(?:([A-Za-z.,]+) +)?(\d\d):(\d\d) *- *(\d\d):(\d\d)(?: +(\S+))?$/.exec(text.trim());
  if (text.length > WINDOW_MAX || match === null) return { problem: `the window ${shown}` };
  const [, dayText, fromHour, fromMinutes, toHour, toMinutes, zoneText] = match;
  const days = dayText === undefined ? EVERY_DAY : daysOf(dayText);
  if (days === null) return { problem: `the days ${JSON.stringify(dayText)} in the window ${shown}` };
  const from = minuteOf(fromHour!, fromMinutes!);
  const to = minuteOf(toHour!, toMinutes!);
  if (from === null || from === DAY_MINUTES || to === null)
    return { problem: `a time in the window ${shown} that no clock shows` };
  if (from === to) return { problem: `the window ${shown}, which ends when it begins and never opens` };
  const zone = zoneText ?? "UTC";
  if (!isZone(zone)) return { problem: `the zone ${JSON.stringify(zone)} in the window ${shown}, which is not known` };
  return { text: text.trim(), days, fromMinute: from, toMinute: to, zone };
}

/** `wallMs`: milliseconds since 1970, by a wall clock. An hour that the zone repeats is open twice; one that it leaves out, not at all. */
export function isOpen(window: Window, wallMs: number): boolean {
  return isOpenAt(window, wallMs + Zone.of(window.zone).offsetAt(wallMs));
}

/** The first moment from `wallMs` on at which it is open: `wallMs` itself where it is open now. */
export function nextOpening(window: Window, wallMs: number): number {
  const zone = Zone.of(window.zone);
  let at = wallMs;
  for (let transitions = 0; transitions <= TRANSITIONS_MAX; transitions += 1) {
    const offset = zone.offsetAt(at);
    if (isOpenAt(window, at + offset)) return at;
    const opening = localOpening(window, at + offset) - offset;
    if (zone.offsetAt(opening) === offset) return opening;
    at = zone.transition(at, opening);
  }
  return at;
}

/** `localMs`: as if the zone's clock showed UTC. */
function isOpenAt({ days, fromMinute, toMinute }: Window, localMs: number): boolean {
  const { day, minute } = localTime(localMs);
  if (fromMinute < toMinute) return days.includes(day) && minute >= fromMinute && minute < toMinute;
  return (days.includes(day) && minute >= fromMinute) || (days.includes((day + 6) % 7) && minute < toMinute);
}

/** The next opening if the zone's clock went on as it does; of a window that is closed. */
function localOpening({ days, fromMinute }: Window, localMs: number): number {
  const { day, minute, dayStartMs } = localTime(localMs);
  for (let ahead = 0; ; ahead += 1) {
    if (!days.includes((day + ahead) % 7) || (ahead === 0 && minute >= fromMinute)) continue;
    return dayStartMs + (ahead * DAY_MINUTES + fromMinute) * MINUTE_MS;
  }
}

function localTime(localMs: number): { readonly day: number; readonly minute: number; readonly dayStartMs: number } {
  const dayMs = DAY_MINUTES * MINUTE_MS;
  const dayNumber = Math.floor(localMs / dayMs);
  const dayStartMs = dayNumber * dayMs;
  // 1970 began on a Thursday.
  return { day: (((dayNumber + 4) % 7) + 7) % 7, minute: Math.floor((localMs - dayStartMs) / MINUTE_MS), dayStartMs };
}

/** A zone's rules, as the platform knows them. */
class Zone {
  /** To make one takes 0.1 ms; there are some hundreds. */
  static readonly #known = new Map<string, Zone>();
  readonly #format: Intl.DateTimeFormat;

  static of(name: string): Zone {
    const zone = Zone.#known.get(name) ?? new Zone(name);
    Zone.#known.set(name, zone);
    return zone;
  }

  private constructor(name: string) {
    this.#format = new Intl.DateTimeFormat("en-US", { timeZone: name, timeZoneName: "longOffset" });
  }

  /** Milliseconds that its clocks are ahead of UTC. */
  offsetAt(wallMs: number): number {
    const name = this.#format.formatToParts(wallMs).find((part) => part.type === "timeZoneName")?.value ?? "";
    const match = /^GMT(?:([+-])(\d\d):(\d\d))?/.exec(name);
    if (match?.[1] === undefined) return 0;
    const minutes = Number(match[2]) * 60 + Number(match[3]);
    return (match[1] === "-" ? -minutes : minutes) * MINUTE_MS;
  }

  /** The first minute after `from`, up to `to`, at which the offset is no longer that of `from`; it is another at `to`. */
  transition(from: number, to: number): number {
    const offset = this.offsetAt(from);
    let [before, after] = [Math.floor(from / MINUTE_MS), Math.ceil(to / MINUTE_MS)];
    while (after - before > 1) {
      const middle = Math.floor((before + after) / 2);
      if (this.offsetAt(middle * MINUTE_MS) === offset) before = middle;
      else after = middle;
    }
    return after * MINUTE_MS;
  }
}

function daysOf(text: string): readonly number[] | null {
  if (text.toLowerCase() === "daily") return EVERY_DAY;
  const days = new Set<number>();
  for (const part of text.split(",")) {
    const ends = part.split("..").map((name) => DAYS.indexOf(name.toLowerCase()));
    if (ends.length > 2 || ends.includes(-1)) return null;
    const [first, last] = [ends[0]!, ends.at(-1)!];
    for (let day = first; ; day = (day + 1) % 7) {
      days.add(day);
      if (day === last) break;
    }
  }
  return [...days].sort();
}

function minuteOf(hours: string, minutes: string): number | null {
  const minute = Number(hours) * 60 + Number(minutes);
  return Number(minutes) < 60 && minute <= DAY_MINUTES ? minute : null;
}

/** By name only: an offset such as +02:00 would be right for half of the year. */
function isZone(name: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(\/[A-Za-z0-9_+-]+)*$/.test(name)) return false;
  try {
    new Intl.DateTimeFormat("en-US", { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}
