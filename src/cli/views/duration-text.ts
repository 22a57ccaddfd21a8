/** A time for people, in the largest unit that says enough: `40 s`, `12 min`, `3 h`, `4 d`. */
export function durationText(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (minutes <= 1) return `${Math.ceil(ms / 1000)} s`;
  if (minutes < 120) return `${minutes} min`;
  return minutes < 48 * 60 ? `${Math.floor(minutes / 60)} h` : `${Math.floor(minutes / 1_440)} d`;
}

/** How long ago an RFC 3339 time was, by this machine's clock; empty where it is none. A clock that is ahead makes it 0. */
export function agoText(time: string, nowMs: number): string {
  const agoMs = nowMs - Date.parse(time);
  return Number.isNaN(agoMs) ? "" : `${durationText(Math.max(0, agoMs))} ago`;
}
