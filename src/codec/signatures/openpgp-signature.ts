import { createHash, verify } from "node:crypto";
import type { CommitSignature, SignatureFlaw } from "../../domain/trust/commit-signature.ts";
import { type ForgePublicKey, forgePublicKeys } from "./forge-keys.ts";
import { canonicalBase64, WireError, WireReader } from "./wire.ts";

export const OPENPGP_SIGNATURE_BEGIN = "-----BEGIN PGP SIGNATURE-----\n";
/** Header lines (`Version: …`), an empty line, base64, a checksum. */
const ARMOR =
  /^-----BEGIN PGP SIGNATURE-----\n(?:[A-Za-z-]{1,40}: [^\n]{0,200}\n){0,8}[ \t]*\n((?:[A-Za-z0-9+/=]{1,120}\n){1,200}?)=([A-Za-z0-9+/]{4})\n-----END PGP SIGNATURE-----\n*$/;

const SIGNATURE_PACKET = 2;
const VERSION = 4;
const OF_BINARY = 0x00;
const RSA = 1;
const HASHES: Readonly<Record<number, string>> = { 8: "sha256", 9: "sha384", 10: "sha512" };
const CREATED = 2;
const ISSUER_ID = 16;
const ISSUER_FINGERPRINT = 33;

/**
 * Verifies an armored OpenPGP signature (RFC 4880 §5.2.3) against the keys of forges, and no others: version 4, of binary data, by RSA,
 * over SHA-2. That is what forges make; whoever signs by hand signs with an SSH key.
 */
export function verifyOpenpgpSignature(payload: Uint8Array, armored: string): CommitSignature {
  const armor = ARMOR.exec(armored);
  const packets = canonicalBase64(armor?.[1]?.replaceAll("\n", "") ?? "");
  const checksum = canonicalBase64(armor?.[2] ?? "");
  if (packets === null || packets.length === 0 || checksum === null) return bad("malformed");
  if (checksum.readUIntBE(0, 3) !== crc24(packets)) return bad("malformed");
  try {
    return verifyPacket(payload, bodyOf(packets));
  } catch (error) {
    if (error instanceof WireError) return bad("malformed");
    throw error;
  }
}

/** Of the one packet that is there, in the old form of its header or the new. */
function bodyOf(packets: Buffer): Buffer {
  const wire = new WireReader(packets);
  const tag = wire.byte();
  const isNew = (tag & 0xc0) === 0xc0;
  if ((isNew ? tag & 0x3f : (tag & 0x3f) >> 2) !== SIGNATURE_PACKET || (tag & 0x80) === 0)
    throw new WireError("another packet");
  const body = wire.take(isNew ? newLength(wire) : oldLength(wire, tag & 0x03));
  wire.end();
  return body;
}

function newLength(wire: WireReader): number {
  const first = wire.byte();
  if (first < 192) return first;
  if (first < 224) return ((first - 192) << 8) + wire.byte() + 192;
  if (first === 255) return wire.uint32();
  throw new WireError("a packet in parts");
}

function oldLength(wire: WireReader, kind: number): number {
  if (kind === 0) return wire.byte();
  if (kind === 1) return wire.take(2).readUInt16BE(0);
  if (kind === 2) return wire.uint32();
  throw new WireError("a packet without a length");
}

function verifyPacket(payload: Uint8Array, body: Buffer): CommitSignature {
  const wire = new WireReader(body);
  const version = wire.byte();
  if (version !== VERSION) return bad("unsupported");
  const [type, algorithm, hashId] = [wire.byte(), wire.byte(), wire.byte()];
  const hashed = wire.take(wire.take(2).readUInt16BE(0));
  const unhashed = wire.take(wire.take(2).readUInt16BE(0));
  const start = wire.take(2);
  const signed = subpackets(hashed);
  const hints = subpackets(unhashed);
  const key = forgePublicKeys().find((one) => [...signed, ...hints].every((hint) => isOf(one, hint)));
  if (key === undefined) return bad("unknown-openpgp-key");
  if (type !== OF_BINARY || algorithm !== RSA) return bad("unsupported");
  const hash = HASHES[hashId];
  if (hash === undefined) return bad(hashId === 1 || hashId === 2 ? "weak" : "unsupported");
  // What it does not understand it must refuse where the signer says so; and nothing else is put where nobody signs it.
  if ([...signed, ...hints].some(({ kind }) => ![CREATED, ISSUER_ID, ISSUER_FINGERPRINT].includes(kind)))
    return bad("unsupported");
  if (!signed.some(({ kind }) => kind === CREATED) || hints.some(({ kind }) => kind === CREATED))
    return bad("malformed");
  // GitHub writes the length of its modulus here, whatever the number is: what it says beyond the bytes is not gone by.
  const number = wire.take((wire.take(2).readUInt16BE(0) + 7) >> 3);
  wire.end();
  const length = Buffer.alloc(4);
  length.writeUInt32BE(6 + hashed.length);
  const trailer = [body.subarray(0, 6 + hashed.length), Buffer.from([VERSION, 0xff]), length];
  const message = Buffer.concat([payload, ...trailer]);
  const padded = Buffer.concat([Buffer.alloc(Math.max(0, key.bytes - number.length)), number]);
  const isStartRight = createHash(hash).update(message).digest().subarray(0, 2).equals(start);
  return isStartRight && verify(hash, message, key.object, padded) ? { kind: "forge", forge: key.forge } : bad("wrong");
}

interface Subpacket {
  readonly kind: number;
  readonly content: Buffer;
}

function subpackets(area: Buffer): readonly Subpacket[] {
  const wire = new WireReader(area);
  const found: Subpacket[] = [];
  for (let left = area.length; left > 0; ) {
    const length = wire.byte();
    // Only short ones are among those that are understood.
    if (length === 0 || length >= 192) throw new WireError("a long subpacket");
    const content = wire.take(length);
    found.push({ kind: content[0]! & 0x7f, content: content.subarray(1) });
    left -= 1 + length;
  }
  return found;
}

/** Whether what the signature says of its key is so; a time says nothing of it. */
function isOf({ fingerprint }: ForgePublicKey, { kind, content }: Subpacket): boolean {
  const hex = content.toString("hex");
  if (kind === ISSUER_ID) return fingerprint.slice(-16) === hex;
  return kind !== ISSUER_FINGERPRINT || hex === `04${fingerprint}`;
}

function crc24(bytes: Uint8Array): number {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if ((crc & 0x1000000) !== 0) crc ^= 0x1864cfb;
    }
  }
  return crc & 0xffffff;
}

function bad(flaw: SignatureFlaw): CommitSignature {
  return { kind: "bad", flaw };
}
