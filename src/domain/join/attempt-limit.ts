/** Refused attempts one address may make before it waits: slips of the pen, and a provisioning script that tries again. */
export const REFUSED_MAX = 10;
/** And all of them together, whatever addresses somebody has. */
export const REFUSED_MAX_OF_ALL = 100;
/** One more is forgiven each time this has passed. Guessing 128 bits at this pace is hopeless; so would it be at any other. */
export const FORGIVEN_EACH_MS = 6_000;
/** Addresses remembered; the one that was refused longest ago is forgotten first. */
const ADDRESSES_MAX = 1_000;

interface Refused {
  /** What has to pass until all of it is forgiven, in milliseconds, from `atMs` on. */
  readonly debtMs: number;
  /** Monotonic milliseconds of the last one. */
  readonly atMs: number;
}

const NONE: Refused = { debtMs: 0, atMs: 0 };

/** Counts refused attempts, by address and in all, and says who has to wait. What is accepted costs nobody anything. */
export class AttemptLimit {
  readonly #byAddress = new Map<string, Refused>();
  #all: Refused = NONE;

  /** Milliseconds until this address may try again; 0: now. `nowMs` is monotonic. */
  waitMs(address: string, nowMs: number): number {
    const own = debtMs(this.#byAddress.get(address) ?? NONE, nowMs) - (REFUSED_MAX - 1) * FORGIVEN_EACH_MS;
    const all = debtMs(this.#all, nowMs) - (REFUSED_MAX_OF_ALL - 1) * FORGIVEN_EACH_MS;
    return Math.ceil(Math.max(0, own, all));
  }

  refused(address: string, nowMs: number): void {
    const own = oneMore(this.#byAddress.get(address) ?? NONE, nowMs);
    this.#byAddress.delete(address);
    this.#byAddress.set(address, own);
    this.#all = oneMore(this.#all, nowMs);
    if (this.#byAddress.size <= ADDRESSES_MAX) return;
    const [oldest] = this.#byAddress.keys();
    this.#byAddress.delete(oldest!);
  }
}

function oneMore(before: Refused, nowMs: number): Refused {
  return { debtMs: debtMs(before, nowMs) + FORGIVEN_EACH_MS, atMs: nowMs };
}

function debtMs(refused: Refused, nowMs: number): number {
  return Math.max(0, refused.debtMs - (nowMs - refused.atMs));
}
