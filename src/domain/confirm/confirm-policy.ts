import { parseDuration } from "../spec/duration.ts";

/**
 * How long, in milliseconds, after a change of this unit its machine may be unable to reach the registry or the source before what ran
 * before is put back; `off`: for ever. Where nothing is said: `CONFIRM_DEFAULT_MS` where the change touches the network, else off.
 */
export type ConfirmPolicy = number | "off";

/** A link, its lease of an address and a tunnel over it are up within half of it; a person at the site waits no longer for a machine. */
export const CONFIRM_DEFAULT_MS = 90_000;

/** Below, one slow answer of a registry on the way would undo a change. */
export const CONFIRM_MIN_MS = 1_000;

/** What a value must be, for people. */
export const CONFIRM_FORM = `off, or a duration of ${CONFIRM_MIN_MS / 1_000}s or more, such as 90s`;

/** The policy's value; null where the text is none. */
export function parseConfirm(text: string): ConfirmPolicy | null {
  if (text === "off") return text;
  const milliseconds = parseDuration(text);
  return milliseconds === null || milliseconds < CONFIRM_MIN_MS ? null : milliseconds;
}
