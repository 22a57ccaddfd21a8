import type { RegistryFacts, Seen } from "./doctor-facts.ts";

/** Everything `fleet registry check` judges, gathered at once. */
export interface RegistryCheckFacts {
  readonly registry: Seen<RegistryFacts>;
  readonly endpoints: Seen<readonly EndpointFacts[]>;
  readonly store: Seen<StoreFacts>;
  readonly access: Seen<AccessFacts>;
  readonly certificates: Seen<readonly CertificateFacts[]>;
}

/** One of the endpoints the address names. */
export interface EndpointFacts {
  /** host:port, or a socket's path. */
  readonly name: string;
  /** Null where it does not answer; why stands in `problem`. */
  readonly version: string | null;
  readonly problem: string | null;
  /** It follows and does not vote. */
  readonly isLearner: boolean;
  /** Its clock against this machine's, in milliseconds: positive where it is ahead. Null where it does not say. */
  readonly aheadMs: number | null;
}

/** As the first endpoint that tells anything of it has it; null where none does. */
export interface StoreFacts {
  readonly bytes: number | null;
  /** What would be left after a defragmentation. */
  readonly bytesInUse: number | null;
  readonly quotaBytes: number | null;
  readonly revision: number | null;
  /** History before it is gone; 0: none ever was. */
  readonly compactedRevision: number | null;
}

export interface AccessFacts {
  /** Every endpoint is a socket or the loopback: whoever reaches it is on this machine. */
  readonly isLocal: boolean;
  /** TLS. */
  readonly isSecure: boolean;
  /** Null where it does not say. */
  readonly hasUsers: boolean | null;
  /** Permissions of the socket; null where it is none. */
  readonly socketMode: number | null;
}

export interface CertificateFacts {
  readonly whose: "server" | "client" | "authority";
  /** Its subject's common name, or what it has in its place. */
  readonly name: string;
  /** Where it is: a file, or host:port. */
  readonly where: string;
  /** Times since 1970 in milliseconds, by this machine's clock. */
  readonly notBeforeMs: number;
  readonly notAfterMs: number;
  readonly nowMs: number;
}
