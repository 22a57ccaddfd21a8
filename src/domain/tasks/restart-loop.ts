import type { UnitHash } from "../names.ts";

/**
 * So many ends of its process within the window are a loop: systemd's own limit (DefaultStartLimitBurst=5), which calls it failed only
 * where they came within ten seconds, and so never of a unit that waits a few seconds before each.
 */
const RESTARTS = 5;
const WINDOW_MS = 600_000;
/** Up for this long it is no loop any more. */
const CALM_MS = 30_000;

/** How a unit looked, when systemd was about to start it again or not. `invocation` is that of its last start. */
export interface RestartingUnit {
  readonly hash: UnitHash | null;
  readonly sub: string;
  readonly invocation: string;
  /** How its process ended last, in systemd's word. */
  readonly result: string;
}

/** What was seen of one unit before; monotonic milliseconds. */
export interface RestartHistory {
  readonly hash: UnitHash | null;
  /** Of its last starts that ended in another one, oldest first, at most RESTARTS. */
  readonly ends: readonly { readonly invocation: string; readonly atMs: number }[];
}

export interface RestartVerdict {
  readonly isLooping: boolean;
  readonly history: RestartHistory;
}

/**
 * Whether its process fails, and systemd restarts it, again and again (`Restart=`): it is never failed then, and never up for long. One that
 * ends well each time is made to. Another text is another unit.
 */
export function judgeRestarts(before: RestartHistory | null, unit: RestartingUnit, nowMs: number): RestartVerdict {
  const { hash, invocation } = unit;
  const known = before?.hash === hash ? before.ends.filter(({ atMs }) => nowMs - atMs < WINDOW_MS) : [];
  const isWaiting = isAboutToRestart(unit) && unit.result !== "success";
  const isNew = isWaiting && known.at(-1)?.invocation !== invocation;
  const ends = isNew ? [...known, { invocation, atMs: nowMs }].slice(-RESTARTS) : known;
  const lastMs = ends.at(-1)?.atMs ?? Number.NEGATIVE_INFINITY;
  const isLooping = ends.length === RESTARTS && (isWaiting || nowMs - lastMs < CALM_MS);
  return { isLooping, history: { hash, ends } };
}

/** `auto-restart`, and `auto-restart-queued` since systemd 254. */
export function isAboutToRestart({ sub }: Pick<RestartingUnit, "sub">): boolean {
  return sub.startsWith("auto-restart");
}
