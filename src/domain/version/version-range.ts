/** Versions from one on, below another, or both. */
export interface VersionRange {
  /** Null: from the first. */
  readonly from: Version | null;
  /** Excluded. Null: however new. */
  readonly below: Version | null;
}

/** Major, minor, patch; what is not written is 0. */
type Version = readonly [number, number, number];

export const VERSION_RANGE_FORM = 'versions such as ">=1.0", or ">=1.0 <2"';

const VERSION = "(0|[1-9][0-9]{0,4})(\\.(0|[1-9][0-9]{0,4})){0,2}";

/** That a range has versions in it at all is for `parseVersionRange` to see. */
export const VERSION_RANGE_PATTERN = new RegExp(`^(>=${VERSION}|(>=${VERSION} +)?<${VERSION})$`);

/** `>=1.0`, `<2` or `>=1.0 <2`; null for anything else, and for a range that no version is in. */
export function parseVersionRange(text: string): VersionRange | null {
  if (!VERSION_RANGE_PATTERN.test(text)) return null;
  const from = versionAfter(">=", text);
  const below = versionAfter("<", text);
  return from !== null && below !== null && compareVersions(from, below) >= 0 ? null : { from, below };
}

/** `1.0.0-rc.1` is held to be 1.0.0: it has what that one will have, and trying it is what it is for. */
export function isInRange(version: string, { from, below }: VersionRange): boolean {
  const own = versionOf(version.replace(/[-+].*$/, ""));
  return (from === null || compareVersions(own, from) >= 0) && (below === null || compareVersions(own, below) < 0);
}

function versionAfter(operator: string, text: string): Version | null {
  const bound = text.split(/ +/).find((one) => one.startsWith(operator));
  return bound === undefined ? null : versionOf(bound.slice(operator.length));
}

function versionOf(text: string): Version {
  const [major = 0, minor = 0, patch = 0] = text.split(".").map(Number);
  return [major, minor, patch];
}

function compareVersions(a: Version, b: Version): number {
  return a[0] - b[0] || a[1] - b[1] || a[2] - b[2];
}
