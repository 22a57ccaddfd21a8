/** The drop-in that says since when a unit is to have been started anew. Sorts behind what an author writes (10-…, 50-…). */
export const RESTART_DROPIN = "90-fleet-restart.conf";

export const RESTARTED_AFTER_FORM = "a moment in UTC such as 2026-11-21T10:00:00Z";

/** RFC 3339 in UTC, to the second: one spelling for one moment, so that two people who mean the same write the same. */
export const RESTARTED_AFTER_PATTERN =
  /^[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]Z$/;

/**
 * systemd skips what begins with `X-`; of `X-Restart-Triggers=` the effect table says that a change restarts, as NixOS has it. So the moment
 * itself is never compared with a clock: another one than before restarts once, in the waves of any other change, and the first of a unit does too.
 */
export function restartDropin(restartedAfter: string): string {
  return `[Unit]\nX-Restart-Triggers=${restartedAfter}\n`;
}
