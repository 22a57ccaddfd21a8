import type { Clock } from "../../ports/clock.ts";
import { OperationError, UnknownResultError } from "../../ports/operation-error.ts";
import type {
  LeaseId,
  Listing,
  ListOptions,
  Operation,
  Registry,
  RegistryDescription,
  Txn,
  TxnResult,
  WatchMessage,
} from "../../ports/registry.ts";

/** A call to a registry nobody answers ends after this long, as the real client's deadline does. */
const DEADLINE_MS = 1_000;

/** How late a request may arrive: longer than any lease of the simulation. */
const LATE_MS = 20_000;

export interface RegistryFaults {
  /** No packet gets through: calls meet their deadline, watches fall silent and go on later. */
  partitioned: boolean;
  /** Probability that a transaction never arrives, and that its reply is lost. */
  dropRequest: number;
  dropReply: number;
  /** Probability that it arrives only long after its sender has given it up: what every fence is for. */
  lateRequest: number;
  /** Of these only: a part of a key that such a transaction puts; "": of all. */
  lateOf: string;
  /** Each call takes up to this long, each way. */
  delayMs: number;
  /** A watch tells so much later than it could: what its reader sees is old, and nothing says so. */
  lagMs: number;
}

export const NO_FAULTS: RegistryFaults = {
  partitioned: false,
  dropRequest: 0,
  dropReply: 0,
  lateRequest: 0,
  lateOf: "",
  delayMs: 0,
  lagMs: 0,
};

/**
 * One client's way to a registry, with faults on it. `pause` holds everything on the way, in both directions, as a stopped process
 * does that finds all of it when it wakes.
 */
export class FaultyRegistry implements Registry {
  readonly #inner: Registry;
  readonly #clock: Clock;
  readonly #random: () => number;
  faults: RegistryFaults = { ...NO_FAULTS };
  /** When a call last ended without an answer, by its client's clock; the beginning of time where none did. */
  unansweredMs = Number.NEGATIVE_INFINITY;
  #paused: Promise<void> | null = null;
  #resume: (() => void) | null = null;
  #healed: (() => void)[] = [];

  constructor(inner: Registry, clock: Clock, random: () => number) {
    this.#inner = inner;
    this.#clock = clock;
    this.#random = random;
  }

  pause(): void {
    this.#paused ??= new Promise((resolve) => {
      this.#resume = resolve;
    });
  }

  resume(): void {
    this.#resume?.();
    this.#paused = null;
    this.#resume = null;
  }

  setPartitioned(partitioned: boolean): void {
    this.faults.partitioned = partitioned;
    if (partitioned) return;
    for (const heal of this.#healed.splice(0)) heal();
  }

  list(prefix: string, options?: ListOptions): Promise<Listing> {
    return this.#call(() => this.#inner.list(prefix, options));
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const writes = txn.then.some((operation) => operation.kind !== "list");
    if (writes && this.#random() < this.faults.dropRequest) throw await this.#lost();
    const isOf = (operation: Operation) => operation.kind !== "put" || operation.key.includes(this.faults.lateOf);
    if (writes && txn.then.some(isOf) && this.#random() < this.faults.lateRequest) {
      void this.#arriveLate(txn);
      throw await this.#lost();
    }
    const result = await this.#call(() => this.#inner.txn(txn));
    if (writes && this.#random() < this.faults.dropReply) throw await this.#lost();
    return result;
  }

  async *watch(prefix: string, after: number, signal: AbortSignal): AsyncGenerator<WatchMessage> {
    for await (const message of this.#inner.watch(prefix, after, signal)) {
      if (this.faults.lagMs > 0) await this.#clock.sleep(this.faults.lagMs, signal);
      await this.#through(signal);
      if (signal.aborted) return;
      yield message;
    }
  }

  grantLease(ttlMs: number): Promise<LeaseId> {
    return this.#call(() => this.#inner.grantLease(ttlMs));
  }

  keepAlive(lease: LeaseId): Promise<boolean> {
    return this.#call(() => this.#inner.keepAlive(lease));
  }

  revokeLease(lease: LeaseId): Promise<void> {
    return this.#call(() => this.#inner.revokeLease(lease));
  }

  describe(): Promise<RegistryDescription> {
    return this.#call(() => this.#inner.describe());
  }

  close(): Promise<void> {
    return this.#inner.close();
  }

  async #call<T>(act: () => Promise<T>): Promise<T> {
    await this.#delay();
    if (this.faults.partitioned) throw await this.#silence();
    const result = await act();
    await this.#delay();
    // The answer was on its way when the cable was cut: what happened, happened.
    if (this.faults.partitioned) throw await this.#lost();
    return result;
  }

  async #arriveLate(txn: Txn): Promise<void> {
    await this.#clock.sleep(DEADLINE_MS + this.#random() * LATE_MS);
    try {
      await this.#inner.txn(txn);
    } catch (error) {
      // Refused by then (its lease is gone, say); nobody waits for the answer.
      if (!(error instanceof OperationError)) throw error;
    }
  }

  async #delay(): Promise<void> {
    if (this.#paused !== null) await this.#paused;
    if (this.faults.delayMs > 0) await this.#clock.sleep(this.#random() * this.faults.delayMs);
    if (this.#paused !== null) await this.#paused;
  }

  async #silence(): Promise<OperationError> {
    await this.#deadline();
    return new OperationError("registry-unreachable", "the registry does not answer");
  }

  async #lost(): Promise<UnknownResultError> {
    await this.#deadline();
    return new UnknownResultError("registry-timeout", "the registry's answer was lost");
  }

  async #deadline(): Promise<void> {
    await this.#clock.sleep(DEADLINE_MS);
    this.unansweredMs = this.#clock.monotonicMs();
  }

  async #through(signal: AbortSignal): Promise<void> {
    if (this.#paused !== null) await this.#paused;
    while (this.faults.partitioned && !signal.aborted) {
      await new Promise<void>((resolve) => {
        this.#healed.push(resolve);
        signal.addEventListener("abort", () => resolve(), { once: true });
      });
    }
  }
}
