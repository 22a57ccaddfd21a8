import { InvariantError } from "../../domain/invariant.ts";
import type { KeyVersion } from "../mvcc/key-history.ts";
import type { MvccEffect } from "../mvcc/mvcc-store.ts";

const TAG_WRITE = 1;
const TAG_LEASE_GRANTED = 2;
const TAG_LEASE_ENDED = 3;
const TAG_COMPACTED = 4;

/** Tag and count, and before each version's bytes: create, mod and version as doubles (exact to 2^53), the lease, two lengths. */
const WRITE_HEAD_BYTES = 5;
const VERSION_HEAD_BYTES = 8 + 8 + 8 + 8 + 4 + 4;

/** An effect as bytes of our own log; numbers are little-endian. */
export function encodeEffect(effect: MvccEffect): Buffer {
  switch (effect.kind) {
    case "write":
      return encodeWrite(effect.versions);
    case "lease-granted": {
      const bytes = withTag(TAG_LEASE_GRANTED, 16);
      bytes.writeBigInt64LE(BigInt(effect.id), 1);
      bytes.writeDoubleLE(effect.ttlSeconds, 9);
      return bytes;
    }
    case "lease-ended": {
      const bytes = withTag(TAG_LEASE_ENDED, 8);
      bytes.writeBigInt64LE(BigInt(effect.id), 1);
      return bytes;
    }
    case "compacted": {
      const bytes = withTag(TAG_COMPACTED, 8);
      bytes.writeDoubleLE(effect.revision, 1);
      return bytes;
    }
  }
}

/** The effect of bytes that were written by `encodeEffect` (a checksum has said so). */
export function decodeEffect(bytes: Buffer): MvccEffect {
  switch (bytes[0]) {
    case TAG_WRITE:
      return { kind: "write", versions: decodeVersions(bytes) };
    case TAG_LEASE_GRANTED:
      return { kind: "lease-granted", id: String(bytes.readBigInt64LE(1)), ttlSeconds: bytes.readDoubleLE(9) };
    case TAG_LEASE_ENDED:
      return { kind: "lease-ended", id: String(bytes.readBigInt64LE(1)) };
    case TAG_COMPACTED:
      return { kind: "compacted", revision: bytes.readDoubleLE(1) };
    default:
      throw new InvariantError(`the registry's log holds a record of unknown kind ${bytes[0]}`);
  }
}

function withTag(tag: number, length: number): Buffer {
  const bytes = Buffer.alloc(1 + length);
  bytes[0] = tag;
  return bytes;
}

function encodeWrite(versions: readonly KeyVersion[]): Buffer {
  let length = WRITE_HEAD_BYTES;
  for (const { key, value } of versions) length += VERSION_HEAD_BYTES + key.length + value.length;
  const bytes = Buffer.allocUnsafe(length);
  bytes[0] = TAG_WRITE;
  bytes.writeUInt32LE(versions.length, 1);
  let at = WRITE_HEAD_BYTES;
  for (const version of versions) {
    at = bytes.writeDoubleLE(version.createRevision, at);
    at = bytes.writeDoubleLE(version.modRevision, at);
    at = bytes.writeDoubleLE(version.version, at);
    at = bytes.writeBigInt64LE(BigInt(version.lease), at);
    at = bytes.writeUInt32LE(version.key.length, at);
    at = bytes.writeUInt32LE(version.value.length, at);
    at += bytes.write(version.key, at, "latin1");
    at += bytes.write(version.value, at, "latin1");
  }
  return bytes;
}

function decodeVersions(bytes: Buffer): readonly KeyVersion[] {
  const versions: KeyVersion[] = [];
  let at = WRITE_HEAD_BYTES;
  for (let left = bytes.readUInt32LE(1); left > 0; left--) {
    const keyAt = at + VERSION_HEAD_BYTES;
    const valueAt = keyAt + bytes.readUInt32LE(at + 32);
    const end = valueAt + bytes.readUInt32LE(at + 36);
    versions.push({
      key: bytes.toString("latin1", keyAt, valueAt),
      value: bytes.toString("latin1", valueAt, end),
      createRevision: bytes.readDoubleLE(at),
      modRevision: bytes.readDoubleLE(at + 8),
      version: bytes.readDoubleLE(at + 16),
      lease: String(bytes.readBigInt64LE(at + 24)),
    });
    at = end;
  }
  return versions;
}
