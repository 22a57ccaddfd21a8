import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";
import type { ObjectType } from "../../ports/object-source.ts";
import { deflated } from "./deflated.ts";
import type { GitObject } from "./git-object.ts";

const CODES: Readonly<Record<ObjectType, number>> = { commit: 1, tree: 2, blob: 3, tag: 4 };

/** A pack of these objects, each whole (no deltas), and its index of version 2, as gitformat-pack(5) has them. */
export function packOf(objects: ReadonlyMap<string, GitObject>): { name: string; pack: Buffer; index: Buffer } {
  const header = Buffer.alloc(12);
  header.write("PACK");
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(objects.size, 8);
  const parts: Buffer[] = [header];
  const entries: { id: Buffer; offset: number; crc: number }[] = [];
  let offset = header.length;
  for (const [id, { type, content }] of objects) {
    const entry = Buffer.concat([entryHeader(CODES[type], content.length), deflated(content)]);
    entries.push({ id: Buffer.from(id, "hex"), offset, crc: crc32(entry) });
    parts.push(entry);
    offset += entry.length;
  }
  const checksum = sha1(parts);
  const index = indexOf(
    entries.sort((a, b) => Buffer.compare(a.id, b.id)),
    checksum,
  );
  return { name: checksum.toString("hex"), pack: Buffer.concat([...parts, checksum]), index };
}

/** Three bits of type, then the size in groups of 4, 7, 7, … bits, lowest first. */
function entryHeader(code: number, size: number): Buffer {
  const bytes: number[] = [];
  let byte = (code << 4) | (size & 15);
  for (let rest = Math.floor(size / 16); rest > 0; rest = Math.floor(rest / 128)) {
    bytes.push(byte | 0x80);
    byte = rest & 0x7f;
  }
  return Buffer.from([...bytes, byte]);
}

/** The index of a pack, of entries sorted by id. Offsets below 2 GiB: what one answer brings is far smaller. */
export function indexOf(entries: readonly { id: Buffer; offset: number; crc: number }[], packChecksum: Buffer): Buffer {
  const fanout = Buffer.alloc(256 * 4);
  let count = 0;
  for (let first = 0; first < 256; first++) {
    while (count < entries.length && entries[count]!.id[0]! <= first) count++;
    fanout.writeUInt32BE(count, first * 4);
  }
  const numbers = (of: (entry: { offset: number; crc: number }) => number) => {
    const bytes = Buffer.alloc(entries.length * 4);
    for (const [at, entry] of entries.entries()) bytes.writeUInt32BE(of(entry), at * 4);
    return bytes;
  };
  const start = Buffer.from([0xff, 0x74, 0x4f, 0x63, 0, 0, 0, 2]);
  const ids = entries.map(({ id }) => id);
  const parts = [start, fanout, ...ids, numbers(({ crc }) => crc), numbers(({ offset }) => offset), packChecksum];
  return Buffer.concat([...parts, sha1(parts)]);
}

function sha1(parts: readonly Buffer[]): Buffer {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest();
}
