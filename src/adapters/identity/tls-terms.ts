import { constants } from "node:crypto";
import type { SecureContextOptions } from "node:tls";

/**
 * What both ends of a connection between fleet's processes insist on. No older TLS, so that there is nothing to negotiate down to; no
 * signatures but those of our keys, so that nothing parses other ones; no tickets, so that each connection proves both keys anew.
 */
export const TLS_TERMS: SecureContextOptions = {
  minVersion: "TLSv1.3",
  maxVersion: "TLSv1.3",
  sigalgs: "ed25519",
  secureOptions: constants.SSL_OP_NO_TICKET,
};

/** Round trips to the other side of the world, on a machine that is busy: a handshake that takes longer is none. Milliseconds. */
export const HANDSHAKE_TIMEOUT_MS = 10_000;

/** Without it a connection whose other end lost its power stays for ever. Milliseconds of silence before the kernel asks. */
export const KEEP_ALIVE_MS = 30_000;
