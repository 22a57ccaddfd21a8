/** What differs between two texts whose beginning and end are the same, as those of a tree in which a file changed. */
export interface Splice {
  /** How much of the base's beginning is kept, bytes. */
  readonly offset: number;
  /** What follows it; the rest is as the base ends. */
  readonly content: Uint8Array;
}

export function spliceOf(base: Uint8Array, next: Uint8Array): Splice {
  const shorter = Math.min(base.length, next.length);
  let offset = 0;
  while (offset < shorter && base[offset] === next[offset]) offset++;
  let kept = 0;
  while (kept < shorter - offset && base[base.length - 1 - kept] === next[next.length - 1 - kept]) kept++;
  return { offset, content: next.subarray(offset, next.length - kept) };
}

/** `size`: of the result. Null where the base is too short for it. */
export function spliced(base: Uint8Array, { offset, content }: Splice, size: number): Buffer | null {
  const kept = size - offset - content.length;
  if (kept < 0 || offset + kept > base.length) return null;
  return Buffer.concat([base.subarray(0, offset), content, base.subarray(base.length - kept)]);
}
