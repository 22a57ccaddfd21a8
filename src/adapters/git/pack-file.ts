import { closeSync, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { constants, inflateSync } from "node:zlib";
import type { ObjectType } from "../../ports/object-source.ts";
import { applyDelta, deltaSizes } from "./apply-delta.ts";
import { corrupt, type GitObject, tooLarge } from "./git-object.ts";

const TYPES: Readonly<Record<number, ObjectType>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;
/** git refuses to write longer chains (--depth is capped at 4095). */
const CHAIN_MAX = 4_095;
/** A small file may be stored as a delta of a large older version; beyond this we would rather not hold that version. */
const BASE_BYTES_MAX = 64 * 1024 * 1024;
/** Bases kept inflated. Neighbouring trees and units share them; 16 MiB holds a few thousand. */
const BASE_CACHE_BYTES = 16 * 1024 * 1024;
/** Read at once: neighbours in a tree mostly are neighbours in the pack, and a system call for each costs more than inflating it. */
const BLOCK_BYTES = 16 * 1024;
/** Read beyond a block's end, for what begins in it; larger objects are read by themselves. */
const OVERLAP_BYTES = 4 * 1024;
/** 20 MiB: all of a pack of units. */
const BLOCKS_MAX = 1_024;
/** zlib makes no smaller output. */
const CHUNK_BYTES_MIN = 64;
const ID_BYTES = 20;
const FANOUT_AT = 8;
const IDS_AT = FANOUT_AT + 256 * 4;

interface Entry {
  readonly code: number;
  /** Inflated bytes of what is stored: the object, or the delta. */
  readonly size: number;
  readonly dataAt: number;
  readonly baseOffset: number | null;
  readonly baseId: string | null;
}

/**
 * One pack and its index (version 2), read in place: the index is held in memory, objects are read where they are needed.
 * isomorphic-git reads the same 91 times slower than `git cat-file --batch`, and tells an object's size only after
 * inflating it; this looks at the size first.
 */
export class PackFile {
  readonly #index: Buffer;
  readonly #count: number;
  readonly #descriptor: number;
  readonly #bytes: number;
  readonly #blocks = new Map<number, Buffer>();
  readonly #bases = new Map<number, GitObject>();
  #baseBytes = 0;

  private constructor(index: Buffer, descriptor: number) {
    this.#index = index;
    this.#count = index.readUInt32BE(FANOUT_AT + 255 * 4);
    this.#descriptor = descriptor;
    this.#bytes = fstatSync(descriptor).size;
  }

  /** Rejects an index that is not version 2 or is cut short. */
  static open(indexPath: string): PackFile {
    const index = readFileSync(indexPath);
    if (index.length < IDS_AT + 40 || index.readUInt32BE(0) !== 0xff744f63 || index.readUInt32BE(4) !== 2) {
      throw corrupt(`${indexPath} is not a version 2 pack index`);
    }
    const count = index.readUInt32BE(FANOUT_AT + 255 * 4);
    if (index.length < IDS_AT + count * (ID_BYTES + 8) + 40) throw corrupt(`${indexPath} is cut short`);
    return new PackFile(index, openSync(indexPath.replace(/\.idx$/, ".pack"), "r"));
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** Where in the pack that object stands, or null. */
  offsetOf(oid: string): number | null {
    const wanted = Buffer.from(oid, "hex");
    const at = this.#firstNotBelow(wanted);
    return at < this.#count && this.#idAt(at).equals(wanted) ? this.#offsetAt(at) : null;
  }

  /** Ids that start with these hexadecimal digits (four at least), at most two: more than one is ambiguous already. */
  idsStartingWith(digits: string): string[] {
    const ids: string[] = [];
    const from = this.#firstNotBelow(Buffer.from(digits.padEnd(ID_BYTES * 2, "0"), "hex"));
    for (let at = from; at < this.#count && ids.length < 2; at++) {
      const id = this.#idAt(at).toString("hex");
      if (!id.startsWith(digits)) break;
      ids.push(id);
    }
    return ids;
  }

  /** The object at that offset. `external` finds a base that is in another pack (a thin pack). */
  read(oid: string, offset: number, maxBytes: number, external: (oid: string) => GitObject): GitObject {
    const first = this.#entryAt(offset);
    const size = first.code in TYPES ? first.size : this.#resultSize(first);
    if (size > maxBytes) throw tooLarge(oid, size, maxBytes);
    const deltas: Buffer[] = [];
    let entry = first;
    let at = offset;
    let object: GitObject | undefined;
    while (object === undefined) {
      const type = TYPES[entry.code];
      if (type !== undefined) {
        object = { type, content: this.#inflate(entry) };
      } else {
        if (deltas.push(this.#inflate(entry)) > CHAIN_MAX) throw corrupt("a delta chain does not end");
        if (entry.baseId !== null) {
          const known = this.offsetOf(entry.baseId);
          if (known === null) object = external(entry.baseId);
          else at = known;
        } else at = entry.baseOffset!;
        object ??= this.#bases.get(at);
        if (object === undefined) entry = this.#entryAt(at);
      }
    }
    if (deltas.length > 0) this.#remember(at, object);
    for (const delta of deltas.reverse()) object = { type: object.type, content: applyDelta(object.content, delta) };
    return object;
  }

  #remember(offset: number, base: GitObject): void {
    if (this.#bases.has(offset) || base.content.length > BASE_CACHE_BYTES / 4) return;
    this.#bases.set(offset, base);
    this.#baseBytes += base.content.length;
    for (const [oldest, object] of this.#bases) {
      if (this.#baseBytes <= BASE_CACHE_BYTES) break;
      this.#bases.delete(oldest);
      this.#baseBytes -= object.content.length;
    }
  }

  /** Index of the first id that is not below `wanted`. */
  #firstNotBelow(wanted: Buffer): number {
    const first = wanted[0]!;
    let low = first === 0 ? 0 : this.#index.readUInt32BE(FANOUT_AT + (first - 1) * 4);
    let high = this.#index.readUInt32BE(FANOUT_AT + first * 4);
    if (low > high || high > this.#count) throw corrupt("a pack index has a fan-out table out of order");
    while (low < high) {
      const middle = (low + high) >>> 1;
      const at = IDS_AT + middle * ID_BYTES;
      if (this.#index.compare(wanted, 0, ID_BYTES, at, at + ID_BYTES) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  #idAt(at: number): Buffer {
    const start = IDS_AT + at * ID_BYTES;
    return this.#index.subarray(start, start + ID_BYTES);
  }

  #offsetAt(at: number): number {
    const offsetsAt = IDS_AT + this.#count * (ID_BYTES + 4);
    const short = this.#index.readUInt32BE(offsetsAt + at * 4);
    if (short < 0x80000000) return short;
    const longAt = offsetsAt + this.#count * 4 + (short - 0x80000000) * 8;
    if (longAt + 8 > this.#index.length) throw corrupt("a pack index points past its end");
    return Number(this.#index.readBigUInt64BE(longAt));
  }

  #entryAt(offset: number): Entry {
    const header = this.#bytesAt(offset, 32 + ID_BYTES);
    let at = 0;
    const next = (): number => {
      const byte = header[at++];
      if (byte === undefined) throw corrupt("a pack ends in the middle of an object");
      return byte;
    };
    let byte = next();
    const code = (byte >> 4) & 7;
    let size = byte & 15;
    for (let factor = 16; byte & 0x80; factor *= 128) {
      byte = next();
      size += (byte & 0x7f) * factor;
      if (!Number.isSafeInteger(size)) throw corrupt("an object's size does not end");
    }
    let baseOffset: number | null = null;
    let baseId: string | null = null;
    if (code === OFFSET_DELTA) {
      byte = next();
      let back = byte & 0x7f;
      while (byte & 0x80) {
        byte = next();
        back = (back + 1) * 128 + (byte & 0x7f);
      }
      baseOffset = offset - back;
      if (back <= 0 || baseOffset < 12) throw corrupt("a delta's base lies outside its pack");
    } else if (code === REFERENCE_DELTA) {
      baseId = header.subarray(at, at + ID_BYTES).toString("hex");
      at += ID_BYTES;
    } else if (!(code in TYPES)) {
      throw corrupt(`a pack holds an object of the unknown type ${code}`);
    }
    return { code, size, dataAt: offset + at, baseOffset, baseId };
  }

  /** What a delta's result will measure, from its first bytes: a dynamic Huffman table takes at most about 320. */
  #resultSize(entry: Entry): number {
    try {
      const start = inflateSync(this.#bytesAt(entry.dataAt, 1024), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: BASE_BYTES_MAX,
      });
      return deltaSizes(start).result;
    } catch (cause) {
      throw corrupt("a delta cannot be inflated", cause);
    }
  }

  #inflate(entry: Entry): Buffer {
    if (entry.size > BASE_BYTES_MAX) throw tooLarge("(a base in a pack)", entry.size, BASE_BYTES_MAX);
    // Deflate grows data it cannot compress by 5 bytes per 16 KiB block; reading a little past the end is harmless.
    const stored = this.#bytesAt(entry.dataAt, entry.size + Math.ceil(entry.size / 1000) + 128);
    let content: Buffer;
    try {
      // By default each object, however small, would hold on to 16 KiB. One byte more tells zlib that this was all.
      const chunkSize = Math.max(CHUNK_BYTES_MIN, entry.size + 1);
      content = inflateSync(stored, { chunkSize, maxOutputLength: Math.max(1, entry.size) });
    } catch (cause) {
      throw corrupt("an object in a pack cannot be inflated", cause);
    }
    if (content.length !== entry.size) throw corrupt("an object in a pack is shorter than it says");
    return content;
  }

  /** May be shorter at the pack's end. */
  #bytesAt(offset: number, length: number): Buffer {
    if (offset >= this.#bytes) throw corrupt("a pack index points past the end of its pack");
    if (length > OVERLAP_BYTES) return this.#read(offset, length);
    const blockAt = offset - (offset % BLOCK_BYTES);
    let block = this.#blocks.get(blockAt);
    if (block === undefined) {
      block = this.#read(blockAt, BLOCK_BYTES + OVERLAP_BYTES);
      if (this.#blocks.size >= BLOCKS_MAX) this.#blocks.delete(this.#blocks.keys().next().value!);
      this.#blocks.set(blockAt, block);
    }
    return block.subarray(offset - blockAt, offset - blockAt + length);
  }

  #read(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(Math.min(length, this.#bytes - offset));
    return bytes.subarray(0, readSync(this.#descriptor, bytes, 0, bytes.length, offset));
  }
}
