import { createSecureContext, type SecureContext, type SecureContextOptions } from "node:tls";
import { judgeCertificate, renewalMs } from "../../domain/identity/judge-certificate.ts";
import type { PeerClaim } from "../../domain/identity/judge-peer.ts";
import type { Clock } from "../../ports/clock.ts";
import { type IssuedCertificate, issueCertificate } from "./issue-certificate.ts";
import type { NodeIdentity } from "./node-identity.ts";
import { TLS_TERMS } from "./tls-terms.ts";

/** How often the wall clock is looked at: it may be set, and a certificate made at another time is refused by others until then. */
const LOOK_EVERY_MS = 60_000;

/**
 * A process's key and the certificate it shows with it. The certificate lives in memory: making one takes less than reading one from disk,
 * and there is none that could be lost, exposed or out of date. A new one is made for the next connection; those that stand go on.
 */
export class IdentityKeeper {
  readonly identity: NodeIdentity;
  readonly #clock: Clock;
  readonly #lifeMs: number | undefined;
  readonly #listeners = new Set<() => void>();
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
    this.#renewed();
  }

  /** A certificate that is good now; another one than before where time has passed or the clock was set. */
  certificate(): IssuedCertificate {
    const nowMs = this.#clock.wallMs();
    const known = this.#certificate;
    if (known !== null && judgeCertificate(known, nowMs) === "good") return known;
    const made = issueCertificate(this.identity, this.#claim, nowMs, this.#lifeMs);
    this.#certificate = made;
    this.#context = null;
    if (known !== null) this.#renewed();
    return made;
  }

  /** Key and certificate with the terms both ends of a connection keep to (`TLS_TERMS`), as TLS takes them. */
  secureContextOptions(): SecureContextOptions {
    return { ...TLS_TERMS, key: this.identity.privatePem(), cert: this.certificate().pem };
  }

  /** The same for one connection after the other, made once for each certificate. */
  secureContext(): SecureContext {
    const options = this.secureContextOptions();
    this.#context ??= createSecureContext(options);
    return this.#context;
  }

  /** Called after each change of the certificate; returns how to stop that. */
  onRenewed(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Renews in time until the signal aborts. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const leftMs = renewalMs(this.certificate()) - this.#clock.wallMs();
      await this.#clock.sleep(Math.min(Math.max(leftMs, 0), LOOK_EVERY_MS), signal);
    }
  }

  #renewed(): void {
    for (const listener of this.#listeners) listener();
  }
}
