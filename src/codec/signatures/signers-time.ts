export const TIME_FORM = "a day or a moment in UTC: 20260131Z, 202601311200Z or 20260131120000Z";

const FORM = /^(\d{4})(\d\d)(\d\d)(?:(\d\d)(\d\d)(\d\d)?)?Z?$/;

/**
 * A time of `allowed_signers` as milliseconds since the epoch, or null. OpenSSH takes one without `Z` as of the machine's own zone; here
 * it is of UTC too, because all machines must come to the same answer.
 */
export function parseSignersTime(text: string): number | null {
  const parts = FORM.exec(text)
    ?.slice(1, 7)
    .map((part = "0") => Number(part));
  if (parts === undefined) return null;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = parts;
  const at = new Date(Date.UTC(year, month - 1, day, hour, minute, second));
  // The thirtieth of February would silently be a day in March.
  const isThere =
    at.getUTCFullYear() === year &&
    at.getUTCMonth() === month - 1 &&
    at.getUTCDate() === day &&
    at.getUTCHours() === hour &&
    at.getUTCMinutes() === minute;
  return isThere && second < 60 ? at.getTime() : null;
}
