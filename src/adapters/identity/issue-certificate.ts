import { createPublicKey, randomBytes, sign } from "node:crypto";
import type { CertificateDates } from "../../domain/identity/judge-certificate.ts";
import type { PeerClaim } from "../../domain/identity/judge-peer.ts";
import { parsePeerUri, peerUri } from "../../domain/identity/peer-uri.ts";
import { invariant } from "../../domain/invariant.ts";
import { der } from "./der.ts";
import type { NodeIdentity } from "./node-identity.ts";

/** Long enough that a machine that was off for a season is let in; what ends a machine's right is its line in git, not this. */
export const CERTIFICATE_LIFE_MS = 90 * 24 * 3600 * 1000;

/** Machines' clocks differ: whoever is behind by less than this takes a certificate made just now for valid. */
export const CLOCK_SKEW_MS = 3600 * 1000;

export interface IssuedCertificate extends CertificateDates {
  readonly pem: string;
}

const OID = {
  ed25519: "1.3.101.112",
  commonName: "2.5.4.3",
  keyUsage: "2.5.29.15",
  subjectAltName: "2.5.29.17",
  basicConstraints: "2.5.29.19",
  extendedKeyUsage: "2.5.29.37",
  serverAuth: "1.3.6.1.5.5.7.3.1",
  clientAuth: "1.3.6.1.5.5.7.3.2",
};

/**
 * An X.509 v3 certificate (RFC 5280) by which a key says who its owner is: made out to and by itself, for both ends of TLS. One fixed shape.
 * Nobody vouches for what it says; peers look its key up in git.
 * `lifeMs`: whole seconds, in milliseconds.
 */
export function issueCertificate(
  identity: NodeIdentity,
  claim: PeerClaim,
  nowMs: number,
  lifeMs = CERTIFICATE_LIFE_MS,
): IssuedCertificate {
  const uri = peerUri(claim);
  invariant(parsePeerUri(uri) !== null, `${uri} names a peer`);
  // Never more than its first quarter, or one with a short life would be in its last one when it is made.
  const notBeforeMs = wholeSeconds(nowMs - Math.min(CLOCK_SKEW_MS, lifeMs / 4));
  const notAfterMs = notBeforeMs + lifeMs;
  const algorithm = der.sequence(der.object(OID.ed25519));
  const name = der.sequence(der.set(der.sequence(der.object(OID.commonName), der.text(claim.machine))));
  const statement = der.sequence(
    der.explicit(0, der.integer(Buffer.from([2]))),
    der.integer(serialNumber()),
    algorithm,
    name,
    der.sequence(der.time(notBeforeMs), der.time(notAfterMs)),
    name,
    createPublicKey(identity.privateKey).export({ type: "spki", format: "der" }),
    der.explicit(3, extensions(uri)),
  );
  const signature = sign(null, statement, identity.privateKey);
  return { pem: pem(der.sequence(statement, algorithm, der.bits(signature))), notBeforeMs, notAfterMs };
}

function extensions(uri: string): Buffer {
  const critical = der.boolean(true);
  const digitalSignature = der.bits(Buffer.from([0x80]), 7);
  return der.sequence(
    // Not an authority: a key that is listed vouches for nobody else.
    der.sequence(der.object(OID.basicConstraints), critical, der.octets(der.sequence())),
    der.sequence(der.object(OID.keyUsage), critical, der.octets(digitalSignature)),
    der.sequence(
      der.object(OID.extendedKeyUsage),
      der.octets(der.sequence(der.object(OID.serverAuth), der.object(OID.clientAuth))),
    ),
    der.sequence(der.object(OID.subjectAltName), der.octets(der.sequence(der.implicit(6, uri)))),
  );
}

/** 16 bytes by chance, positive and not shortened by a leading zero. */
function serialNumber(): Buffer {
  const bytes = randomBytes(16);
  bytes[0] = (bytes[0]! & 0x3f) | 0x40;
  return bytes;
}

/** Down: certificates have no smaller unit. */
function wholeSeconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000) * 1000;
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString("base64").match(/.{1,64}/g) ?? [];
  return ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
}
