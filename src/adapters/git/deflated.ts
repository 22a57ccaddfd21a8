import { deflateSync } from "node:zlib";

/**
 * As git stores an object. By default zlib takes 260 KiB of memory for each, which for a unit is most of the work: a window no larger than
 * the content compresses it as well.
 */
export function deflated(content: Buffer): Buffer {
  const windowBits = Math.min(15, Math.max(9, Math.ceil(Math.log2(content.length + 1))));
  const memLevel = Math.min(8, Math.max(1, windowBits - 7));
  return deflateSync(content, { windowBits, memLevel, chunkSize: Math.max(256, Math.min(content.length, 64 * 1024)) });
}
