import { crc32 } from "node:zlib";

/** Length and crc32 of what follows, both unsigned 32-bit little-endian. */
const HEAD_BYTES = 8;

/** A record as it stands in a file. */
export function frameRecord(payload: Buffer): Buffer {
  const frame = Buffer.allocUnsafe(HEAD_BYTES + payload.length);
  frame.writeUInt32LE(payload.length, 0);
  frame.writeUInt32LE(crc32(payload), 4);
  payload.copy(frame, HEAD_BYTES);
  return frame;
}

export interface RecordsRead {
  readonly payloads: readonly Buffer[];
  /** Where the whole records end. Less than the file: a write was cut short there. */
  readonly validBytes: number;
}

/** The whole records from the beginning on; the first that is not whole ends it. */
export function readRecords(file: Buffer): RecordsRead {
  const payloads: Buffer[] = [];
  let at = 0;
  while (at + HEAD_BYTES <= file.length) {
    const end = at + HEAD_BYTES + file.readUInt32LE(at);
    // A file of zeros, as a file system may leave behind, would otherwise read as empty records with the right checksum.
    if (end > file.length || end === at + HEAD_BYTES) break;
    const payload = file.subarray(at + HEAD_BYTES, end);
    if (crc32(payload) !== file.readUInt32LE(at + 4)) break;
    payloads.push(payload);
    at = end;
  }
  return { payloads, validBytes: at };
}
