import { createHash } from "node:crypto";
import { constants, crc32, inflateSync } from "node:zlib";
import type { ObjectType } from "../../../ports/object-source.ts";
import { OperationError } from "../../../ports/operation-error.ts";
import { applyDelta, deltaSizes } from "../apply-delta.ts";
import { objectId } from "../git-object.ts";
import { indexOf } from "../pack-of.ts";
import { checkObject, type TreeDepths } from "./check-object.ts";
import { invalidAnswer } from "./invalid-answer.ts";

export interface PackLimits {
  /** Of one object, inflated, bytes. */
  readonly objectBytesMax: number;
  /** Of one pack. */
  readonly objectsMax: number;
  /** Of all objects of one pack together, inflated, bytes. */
  readonly inflatedBytesMax: number;
  /** Folders within folders. */
  readonly pathDepthMax: number;
}

export interface IndexedPack {
  /** What git names the pack by: the hash at its end. */
  readonly name: string;
  readonly index: Buffer;
  readonly objects: number;
}

const TYPES: Readonly<Record<number, ObjectType>> = { 1: "commit", 2: "tree", 3: "blob", 4: "tag" };
const OFFSET_DELTA = 6;
const REFERENCE_DELTA = 7;
/** As git writes them at most (--depth is capped at 4095). */
const CHAIN_MAX = 4_095;
const HEADER_BYTES = 12;
const HASH_BYTES = 20;
/** zlib never makes less than a thousandth. */
const DEFLATE_FACTOR = 1_040;

interface Entry {
  readonly offset: number;
  readonly type: ObjectType | null;
  readonly dataAt: number;
  /** Inflated: of the object, or of the delta. */
  readonly size: number;
  readonly end: number;
  readonly crc: number;
}

/**
 * Reads a pack from the network from its first byte to its last: sizes before anything is inflated, every object inflated, hashed and
 * checked as git's fsck would. Gives the index that makes it readable. Rejects with `source-answer-invalid`, `object-too-large`,
 * `too-many-objects`, `path-too-deep`, `tree-name-refused`.
 */
export function indexPack(pack: Buffer, limits: PackLimits): IndexedPack {
  const count = checkFrame(pack, limits);
  const budget = { left: limits.inflatedBytesMax };
  const spend = (bytes: number) => {
    if (bytes > limits.objectBytesMax) throw objectTooLarge(bytes, limits.objectBytesMax);
    budget.left -= bytes;
    if (budget.left < 0) throw packTooLarge(limits.inflatedBytesMax);
  };
  const ids = new Map<number, string>();
  const depths: TreeDepths = new Map();
  const deltasOnOffset = new Map<number, Entry[]>();
  const deltasOnId = new Map<string, Entry[]>();
  const whole: Entry[] = [];
  const all: Entry[] = [];

  const settle = (entry: Entry, type: ObjectType, content: Buffer): void => {
    const id = objectId({ type, content });
    checkObject(id, type, content, depths);
    ids.set(entry.offset, id);
  };
  let at = HEADER_BYTES;
  for (let read = 0; read < count; read++) {
    const { entry, content, base } = readEntry(pack, at, spend);
    all.push(entry);
    at = entry.end;
    if (entry.type !== null) {
      whole.push(entry);
      settle(entry, entry.type, content);
    } else if (typeof base === "string") listed(deltasOnId, base).push(entry);
    else listed(deltasOnOffset, base!).push(entry);
  }
  if (at !== pack.length - HASH_BYTES) throw invalidAnswer("its pack has more in it than it says");

  /** Objects made out of that one, and out of those in turn. Only one chain is held at a time. */
  const resolve = (root: Entry, type: ObjectType): void => {
    const above: { readonly content: Buffer; readonly below: Entry[] }[] = [];
    const childrenOf = (entry: Entry): Entry[] => [
      ...(deltasOnOffset.get(entry.offset) ?? []),
      ...(deltasOnId.get(ids.get(entry.offset)!) ?? []),
    ];
    const below = childrenOf(root);
    if (below.length > 0) above.push({ content: inflate(pack, root), below });
    while (above.length > 0) {
      const { content: base, below: children } = above.at(-1)!;
      const child = children.pop();
      if (child === undefined) {
        above.pop();
        continue;
      }
      if (ids.has(child.offset)) continue;
      if (above.length > CHAIN_MAX) throw invalidAnswer("a delta chain in its pack does not end");
      const delta = inflate(pack, child);
      spend(damage(() => deltaSizes(delta)).result);
      const content = damage(() => applyDelta(base, delta));
      settle(child, type, content);
      const next = childrenOf(child);
      if (next.length > 0) above.push({ content, below: next });
    }
  };
  for (const entry of whole) resolve(entry, entry.type!);
  if (ids.size !== count) throw invalidAnswer("its pack builds on objects it does not have");
  checkDepth(depths, limits.pathDepthMax);
  const checksum = pack.subarray(pack.length - HASH_BYTES);
  const entries = all.map(({ offset, crc }) => ({ id: Buffer.from(ids.get(offset)!, "hex"), offset, crc }));
  return {
    name: checksum.toString("hex"),
    index: indexOf(
      entries.sort((a, b) => Buffer.compare(a.id, b.id)),
      checksum,
    ),
    objects: count,
  };
}

function checkFrame(pack: Buffer, limits: PackLimits): number {
  if (pack.length < HEADER_BYTES + HASH_BYTES || pack.toString("latin1", 0, 4) !== "PACK" || pack.readUInt32BE(4) !== 2)
    throw invalidAnswer("it sent no pack of version 2");
  const count = pack.readUInt32BE(8);
  if (count > limits.objectsMax) {
    throw new OperationError("too-many-objects", `the source sent ${count} objects, more than ${limits.objectsMax}`, {
      next: "use a repository of its own for units",
    });
  }
  const end = pack.length - HASH_BYTES;
  const hash = createHash("sha1").update(pack.subarray(0, end)).digest();
  if (!hash.equals(pack.subarray(end))) throw invalidAnswer("its pack does not have the hash it ends with");
  return count;
}

function readEntry(
  pack: Buffer,
  offset: number,
  spend: (bytes: number) => void,
): { entry: Entry; content: Buffer; base: number | string | null } {
  let at = offset;
  const next = (): number => {
    const byte = pack[at++];
    if (byte === undefined || at > pack.length - HASH_BYTES) throw invalidAnswer("its pack is cut short");
    return byte;
  };
  let byte = next();
  const code = (byte >> 4) & 7;
  let size = byte & 15;
  for (let factor = 16; byte & 0x80; factor *= 128) {
    byte = next();
    size += (byte & 0x7f) * factor;
    if (size > Number.MAX_SAFE_INTEGER / 256) throw invalidAnswer("a size in its pack does not end");
  }
  let base: number | string | null = null;
  if (code === OFFSET_DELTA) {
    byte = next();
    let back = byte & 0x7f;
    while (byte & 0x80) {
      byte = next();
      back = (back + 1) * 128 + (byte & 0x7f);
      if (back > offset) throw invalidAnswer("a delta in its pack builds on nothing");
    }
    base = offset - back;
  } else if (code === REFERENCE_DELTA) {
    base = pack.toString("hex", at, at + HASH_BYTES);
    at += HASH_BYTES;
  } else if (!(code in TYPES)) throw invalidAnswer(`its pack has an object of the unknown kind ${code}`);
  spend(size);
  const dataAt = at;
  const { content, used } = inflateAt(pack, dataAt, size);
  const end = dataAt + used;
  if (end > pack.length - HASH_BYTES) throw invalidAnswer("its pack is cut short");
  const crc = crc32(pack.subarray(offset, end));
  return { entry: { offset, type: TYPES[code] ?? null, dataAt, size, end, crc }, content, base };
}

function inflate(pack: Buffer, { dataAt, size }: Entry): Buffer {
  return inflateAt(pack, dataAt, size).content;
}

/** What is stored says how long it is, and that has been looked at: no more than that is ever inflated. */
function inflateAt(pack: Buffer, at: number, size: number): { content: Buffer; used: number } {
  // Room for what it can be compressed to at worst; zlib finds the end itself.
  const most = at + size + Math.ceil(size / DEFLATE_FACTOR) + 1_024;
  const options = {
    maxOutputLength: size + 1,
    finishFlush: constants.Z_SYNC_FLUSH,
    info: true,
    chunkSize: chunk(size),
  };
  let read: { buffer: Buffer; engine: { bytesWritten: number } };
  try {
    read = inflateSync(pack.subarray(at, Math.min(most, pack.length)), options) as unknown as typeof read;
  } catch (cause) {
    throw invalidAnswer("an object in its pack cannot be inflated", cause);
  }
  if (read.buffer.length !== size) throw invalidAnswer("an object in its pack is not as long as it says");
  return { content: read.buffer, used: read.engine.bytesWritten };
}

function chunk(size: number): number {
  return Math.max(64, Math.min(size + 1, 64 * 1024));
}

function damage<T>(act: () => T): T {
  try {
    return act();
  } catch (cause) {
    throw invalidAnswer("a delta in its pack is damaged", cause);
  }
}

/** By the trees of this pack; a reader bounds what they hang below. */
function checkDepth(depths: TreeDepths, max: number): void {
  let level = new Set([...depths.keys()]);
  for (const below of depths.values()) for (const oid of below) level.delete(oid);
  for (let depth = 1; level.size > 0; depth++) {
    if (depth > max) {
      throw new OperationError("path-too-deep", `the source has folders more than ${max} deep`, {
        next: "use a repository of its own for units",
      });
    }
    level = new Set([...level].flatMap((oid) => depths.get(oid) ?? []).filter((oid) => depths.has(oid)));
  }
}

function listed<K, V>(map: Map<K, V[]>, key: K): V[] {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made: V[] = [];
  map.set(key, made);
  return made;
}

function objectTooLarge(bytes: number, max: number): OperationError {
  return new OperationError("object-too-large", `the source has a file or folder of ${bytes} bytes, more than ${max}`, {
    next: "use a repository of its own for units, without large files",
  });
}

function packTooLarge(max: number): OperationError {
  return new OperationError("pack-too-large", `the source sent more than ${max} bytes of objects`, {
    next: "use a repository of its own for units, without large files",
  });
}
