/** Numbers of an etcd version, `3.4.23` or `3.5.0+fleet`; null where it is none. */
export function etcdVersion(text: string): readonly [number, number, number] | null {
  const match = /^v?(\d+)\.(\d+)\.(\d+)/.exec(text);
  return match === null ? null : [Number(match[1]), Number(match[2]), Number(match[3])];
}

/** fleet's own registry says what it really is behind a plus. */
export function isEmbedded(version: string): boolean {
  return version.includes("+fleet");
}

/**
 * Whether a version has a fix that came with these patch releases, one of each line that got it; lines after the newest of them were made
 * with it, those before the oldest never got it.
 */
export function hasFix(version: string, fixedIn: readonly (readonly [number, number, number])[]): boolean {
  const number = etcdVersion(version);
  if (number === null) return true; // Nobody can say; a fork's name is no finding.
  const line = fixedIn.find(([major, minor]) => major === number[0] && minor === number[1]);
  if (line !== undefined) return number[2] >= line[2];
  return fixedIn.every(([major, minor]) => number[0] > major || (number[0] === major && number[1] > minor));
}
