/**
 * Bytes as a string with one character (0-255) a byte: such strings compare, and sort, as their bytes do, and make keys of
 * a Map, which Buffers do not.
 */
export type Bytes = string;

/** A span of keys in byte order. */
export interface ByteRange {
  readonly from: Bytes;
  /** The first key that is not in it; null: it has no end. */
  readonly to: Bytes | null;
  /** It holds `from` and nothing else. */
  readonly single: boolean;
}

/** etcd's way to say it: no end is the key itself, an end of one zero byte is everything from the key on. */
export function byteRange(key: Bytes, rangeEnd: Bytes): ByteRange {
  if (rangeEnd === "") return { from: key, to: `${key}\0`, single: true };
  return { from: key, to: rangeEnd === "\0" ? null : rangeEnd, single: false };
}

/** All keys that begin with these bytes. */
export function prefixRange(prefix: Bytes): ByteRange {
  for (let length = prefix.length; length > 0; length--) {
    const last = prefix.charCodeAt(length - 1);
    if (last === 0xff) continue;
    return { from: prefix, to: prefix.slice(0, length - 1) + String.fromCharCode(last + 1), single: false };
  }
  return { from: prefix, to: null, single: false };
}

export function isInRange(range: ByteRange, key: Bytes): boolean {
  if (range.single) return key === range.from;
  return key >= range.from && (range.to === null || key < range.to);
}
