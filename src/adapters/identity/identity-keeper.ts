import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { judgeCertificate } from "../../domain/identity/judge-certificate.ts";
import type { PeerClaim } from "../../domain/identity/judge-peer.ts";
import type { Clock } from "../../ports/clock.ts";
import { type IssuedCertificate, issueCertificate } from "./issue-certificate.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { TLS_TERMS } from "./tls-terms.ts";

/**
 * A process's key and the certificate it shows with it. The certificate lives in memory, and is looked at when a connection needs it: one that
 * is in its last quarter, or that the clock has left behind, gives way to a new one then. Making one takes 0.3 ms; so nothing waits for its
 * time, and there is no file that could be lost or be of yesterday. Connections that stand go on.
 */
export class IdentityKeeper {
  readonly identity: NodeIdentity;
  readonly #clock: Clock;
  readonly #lifeMs: number | undefined;
  #claim: PeerClaim;
  #certificate: IssuedCertificate | null = null;
  #context: SecureContext | null = null;

  /** `lifeMs` of its certificates: as `CERTIFICATE_LIFE_MS` where not given. */
  constructor(identity: NodeIdentity, claim: PeerClaim, clock: Clock, options: { readonly lifeMs?: number } = {}) {
    this.identity = identity;
    this.#claim = claim;
    this.#clock = clock;
    this.#lifeMs = options.lifeMs;
  }

  get claim(): PeerClaim {
    return this.#claim;
  }

  /** Who we say we are from now on: the cluster becomes known by joining it. */
  claimToBe(claim: PeerClaim): void {
    const { clusterId, role, machine } = this.#claim;
    if (claim.clusterId === clusterId && claim.role === role && claim.machine === machine) return;
    this.#claim = claim;
    this.#certificate = null;
  }

  /** One that is good now: the same as before, or another one where time has passed, the clock was set or the claim is another. */
  certificate(): IssuedCertificate {
    const nowMs = this.#clock.wallMs();
    const known = this.#certificate;
    if (known !== null && judgeCertificate(known, nowMs) === "good") return known;
    const made = issueCertificate(this.identity, this.#claim, nowMs, this.#lifeMs);
    this.#certificate = made;
    this.#context = null;
    return made;
  }

  /** Key and certificate with the terms both ends of a connection keep to (`TLS_TERMS`), as TLS takes them. */
  secureContextOptions(): SecureContextOptions {
    return { ...TLS_TERMS, key: this.identity.privatePem(), cert: this.certificate().pem };
  }

  /** The same for one connection after the other, made once for each certificate. */
  secureContext(): SecureContext {
    this.certificate();
    this.#context ??= createSecureContext(this.secureContextOptions());
    return this.#context;
  }
}
