import { keyOf, type Thing } from "./thing.ts";

/** How long a thing must last before it is told, in milliseconds: what systemd restarts is mostly up again by then. */
export const SETTLE_MS: Readonly<Record<Thing["event"], number>> = {
  failed: 10_000,
  held: 0,
  "rolled-back": 0,
  // An engine that waits for a commit is deposed after 30 s: whoever takes over may well read it.
  stale: 60_000,
};
/** What is over and comes again within this is the same thing still: a unit that fails and recovers all day is told of once. */
export const QUIET_MS = 3_600_000;
/** Of one cluster in `BURST_WINDOW_MS`; beyond it things are counted and told together. A machine that dies takes all its units with it. */
export const BURST_MAX = 10;
export const BURST_WINDOW_MS = 600_000;
/** Things kept in mind; the longest gone are forgotten first. */
export const REMEMBERED_MAX = 1_000;

/** What is known of things, by key. Times are of one monotonic clock. */
export interface NewsMemory {
  readonly things: ReadonlyMap<string, Remembered>;
  /** When something was told, oldest first. */
  readonly toldAtMs: readonly number[];
}

export interface Remembered {
  readonly sinceMs: number;
  /** Whether somebody was told. */
  readonly isTold: boolean;
  /** Since when it is over; null: it is not. */
  readonly goneSinceMs: number | null;
}

export const NO_MEMORY: NewsMemory = { things: new Map(), toldAtMs: [] };

export interface News {
  /** To be told now, in the order of the things. */
  readonly things: readonly Thing[];
  /** Beyond the burst: told by their number alone, with the others. */
  readonly more: number;
  readonly memory: NewsMemory;
}

/** What of all there is has not been told, and by now should be. At most once for each thing, however often this is asked. */
export function decideNews(things: readonly Thing[], before: NewsMemory, nowMs: number): News {
  const known = new Map<string, Remembered>();
  const ripe: Thing[] = [];
  for (const thing of things) {
    const key = keyOf(thing);
    const old = before.things.get(key);
    const isBack = old !== undefined && old.goneSinceMs !== null;
    // One that came back untold begins anew.
    const sinceMs = old === undefined || (isBack && !old.isTold) ? nowMs : old.sinceMs;
    const isDue = old?.isTold !== true && nowMs - sinceMs >= SETTLE_MS[thing.event];
    if (isDue) ripe.push(thing);
    known.set(key, { sinceMs, isTold: isDue || old?.isTold === true, goneSinceMs: null });
  }
  const gone = [...before.things]
    .filter(([key, { isTold }]) => !known.has(key) && isTold)
    .map(([key, one]) => [key, { ...one, goneSinceMs: one.goneSinceMs ?? nowMs }] as const)
    .filter(([, { goneSinceMs }]) => nowMs - goneSinceMs < QUIET_MS)
    .sort(([, a], [, b]) => b.goneSinceMs - a.goneSinceMs)
    .slice(0, Math.max(0, REMEMBERED_MAX - known.size));
  const recent = before.toldAtMs.filter((at) => nowMs - at < BURST_WINDOW_MS);
  const told = ripe.slice(0, Math.max(0, BURST_MAX - recent.length));
  return {
    things: told,
    more: ripe.length - told.length,
    memory: { things: new Map([...known, ...gone]), toldAtMs: [...recent, ...told.map(() => nowMs)] },
  };
}

/** The keys of what has been told, sorted: all that the next leader must know. */
export function toldKeys({ things }: NewsMemory): readonly string[] {
  return [...things].flatMap(([key, { isTold }]) => (isTold ? [key] : [])).sort();
}

/** What a new leader begins with: whatever its predecessor told is taken for over just now, unless it sees that it is not. */
export function memoryFrom(keys: readonly string[], nowMs: number): NewsMemory {
  const told = { sinceMs: nowMs, isTold: true, goneSinceMs: nowMs };
  return { things: new Map(keys.slice(0, REMEMBERED_MAX).map((key) => [key, told])), toldAtMs: [] };
}
