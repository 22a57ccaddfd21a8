import type { HubState } from "../../domain/hub/hub-state.ts";
import { OperationError, UnknownResultError } from "../../ports/operation-error.ts";
import type {
  LeaseId,
  Listing,
  ListOptions,
  Registry,
  RegistryDescription,
  Txn,
  TxnResult,
  WatchMessage,
} from "../../ports/registry.ts";

/** Codes of what may be the relay's to explain: it had no engine to carry the call to. */
const AWAY: ReadonlySet<string> = new Set(["registry-unreachable", "registry-timeout", "registry-silent"]);

/** A registry behind engines: the same, but that its errors say why no engine can be used. */
export class HubRegistry implements Registry {
  readonly #registry: Registry;
  readonly #state: () => HubState;
  readonly #closeRelay: () => Promise<void>;

  /** `closeRelay`: ends the way there, once the registry's client has closed. */
  constructor(registry: Registry, state: () => HubState, closeRelay: () => Promise<void>) {
    this.#registry = registry;
    this.#state = state;
    this.#closeRelay = closeRelay;
  }

  list(prefix: string, options?: ListOptions): Promise<Listing> {
    return this.#explained(this.#registry.list(prefix, options));
  }

  txn(txn: Txn): Promise<TxnResult> {
    return this.#explained(this.#registry.txn(txn));
  }

  async *watch(prefix: string, after: number, signal: AbortSignal): AsyncGenerator<WatchMessage, void, void> {
    try {
      yield* this.#registry.watch(prefix, after, signal);
    } catch (error) {
      throw explain(error, this.#state());
    }
  }

  grantLease(ttlMs: number): Promise<LeaseId> {
    return this.#explained(this.#registry.grantLease(ttlMs));
  }

  keepAlive(lease: LeaseId): Promise<boolean> {
    return this.#explained(this.#registry.keepAlive(lease));
  }

  revokeLease(lease: LeaseId): Promise<void> {
    return this.#explained(this.#registry.revokeLease(lease));
  }

  describe(): Promise<RegistryDescription> {
    return this.#explained(this.#registry.describe());
  }

  async close(): Promise<void> {
    await this.#registry.close();
    await this.#closeRelay();
  }

  async #explained<T>(call: Promise<T>): Promise<T> {
    try {
      return await call;
    } catch (error) {
      throw explain(error, this.#state());
    }
  }
}

function explain(error: unknown, { engine, failures }: HubState): unknown {
  if (!(error instanceof OperationError)) return error;
  if (!AWAY.has(error.code) || engine !== null || failures.length === 0) return error;
  const reasons = failures.map(({ code, detail }) => `${detail} (${code})`).join("; ");
  const message = `${error.message.split(": ")[0]}: no engine can be used: ${reasons}`;
  const next = failures.find((failure) => failure.next !== null)?.next ?? undefined;
  const options = { cause: error.cause, ...(next === undefined ? {} : { next }) };
  return error instanceof UnknownResultError
    ? new UnknownResultError(error.code, message, options)
    : new OperationError(error.code, message, options);
}
