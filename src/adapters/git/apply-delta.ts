import { corrupt } from "./git-object.ts";

/** The sizes at the front of a delta: of what it applies to, and of what comes out. */
export function deltaSizes(delta: Buffer): { base: number; result: number; bodyAt: number } {
  const base = sizeAt(delta, 0);
  const result = sizeAt(delta, base.next);
  return { base: base.value, result: result.value, bodyAt: result.next };
}

/** Rebuilds an object from its base and git's copy/insert instructions. Every range is checked: the data is a stranger's. */
export function applyDelta(base: Buffer, delta: Buffer): Buffer {
  const sizes = deltaSizes(delta);
  if (sizes.base !== base.length) throw corrupt(`a delta expects a base of ${sizes.base} bytes, not ${base.length}`);
  const result = Buffer.allocUnsafe(sizes.result);
  let written = 0;
  let at = sizes.bodyAt;
  while (at < delta.length) {
    const instruction = delta[at++]!;
    if (instruction === 0) throw corrupt("a delta holds the reserved instruction 0");
    let from: Buffer;
    let start: number;
    let length: number;
    if (instruction & 0x80) {
      start = 0;
      length = 0;
      for (let byte = 0; byte < 4; byte++)
        if (instruction & (1 << byte)) start += byteAt(delta, at++) * 2 ** (8 * byte);
      for (let byte = 0; byte < 3; byte++) {
        if (instruction & (0x10 << byte)) length += byteAt(delta, at++) * 2 ** (8 * byte);
      }
      if (length === 0) length = 0x10000;
      from = base;
    } else {
      start = at;
      length = instruction;
      at += length;
      from = delta;
    }
    if (start + length > from.length || written + length > result.length) throw corrupt("a delta reaches past its end");
    from.copy(result, written, start, start + length);
    written += length;
  }
  if (written !== result.length) throw corrupt("a delta yields fewer bytes than it says");
  return result;
}

function byteAt(bytes: Buffer, at: number): number {
  const byte = bytes[at];
  if (byte === undefined) throw corrupt("a delta ends in the middle of an instruction");
  return byte;
}

/** Little-endian base-128. Six bytes hold 2^42, far above any object we would read. */
function sizeAt(bytes: Buffer, start: number): { value: number; next: number } {
  let value = 0;
  for (let count = 0; count < 6; count++) {
    const byte = byteAt(bytes, start + count);
    value += (byte & 0x7f) * 2 ** (7 * count);
    if ((byte & 0x80) === 0) return { value, next: start + count + 1 };
  }
  throw corrupt("a delta's size does not end");
}
