import type { X509Certificate } from "node:crypto";
import type { TLSSocket } from "node:tls";
import type { PeerFacts } from "../../domain/identity/judge-peer.ts";
import { parsePeerUri } from "../../domain/identity/peer-uri.ts";
import { nodeKeyOf } from "./node-identity.ts";

/**
 * What the other end of a finished TLS handshake has shown of itself; null where it showed no certificate. To be called once for a socket: on
 * the side that dialled Node hands the certificate out and has none the second time.
 */
export function readPeer(socket: TLSSocket): PeerFacts | null {
  const certificate = socket.getPeerX509Certificate();
  return certificate === undefined ? null : certificateFacts(certificate);
}

/** What a certificate says, by the platform's own reader: nothing of ours parses a stranger's DER. */
export function certificateFacts(certificate: X509Certificate): PeerFacts {
  const key = nodeKeyOf(certificate.publicKey);
  return {
    key,
    notBeforeMs: certificate.validFromDate.getTime(),
    notAfterMs: certificate.validToDate.getTime(),
    // What its key has not signed, its key does not say.
    uri: key !== null && certificate.verify(certificate.publicKey) ? claimOf(certificate) : null,
  };
}

/** Exactly one name, and that of our form: with more of them it would be for somebody else to choose. */
function claimOf({ subjectAltName }: X509Certificate): PeerFacts["uri"] {
  return subjectAltName?.startsWith("URI:") ? parsePeerUri(subjectAltName.slice("URI:".length)) : null;
}
