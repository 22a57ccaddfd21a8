import type { ClusterState } from "../../codec/cluster-state.ts";
import { registryKeys } from "../../codec/registry-keys.ts";
import type { NodeKey } from "../../domain/identity/node-key.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type {
  Entry,
  Listing,
  ListOptions,
  Registry,
  RegistryDescription,
  Txn,
  TxnResult,
  WatchMessage,
} from "../../ports/registry.ts";

/** A cluster as a file tells of it: read like any registry, and never written. Whatever would write rejects with `state-read-only`. */
export class StateRegistry implements Registry {
  /** RFC 3339: how old all of it is. */
  readonly at: string;
  /** Whose signature it has; null: nobody's. */
  readonly signer: NodeKey | null;
  readonly #cluster: string;
  readonly #revision: number;
  readonly #entries: readonly Entry[];

  constructor({ cluster, at, revision, entries }: ClusterState, signer: NodeKey | null) {
    this.at = at;
    this.signer = signer;
    this.#cluster = cluster;
    this.#revision = revision;
    this.#entries = entries.map(({ key, value, mod }) => ({
      ...{ key, value, createRevision: mod, modRevision: mod, version: 1, lease: null },
    }));
  }

  async list(prefix: string, { exact = false }: ListOptions = {}): Promise<Listing> {
    return { revision: this.#revision, entries: this.#under(prefix, exact) };
  }

  /** Only lists, under no condition. */
  async txn({ when, then }: Txn): Promise<TxnResult> {
    const listings = then.map((operation) => {
      if (operation.kind !== "list" || when.length > 0) throw readOnly();
      return this.#under(operation.prefix, operation.exact === true);
    });
    return { succeeded: true, revision: this.#revision, listings };
  }

  // biome-ignore lint/correctness/useYield: it never says anything
  async *watch(): AsyncGenerator<WatchMessage> {
    throw readOnly();
  }

  async grantLease(): Promise<never> {
    throw readOnly();
  }

  async keepAlive(): Promise<never> {
    throw readOnly();
  }

  async revokeLease(): Promise<never> {
    throw readOnly();
  }

  async describe(): Promise<RegistryDescription> {
    return { version: "", revision: this.#revision, members: 0, clusterId: "" };
  }

  async close(): Promise<void> {}

  /** Of another cluster it knows nothing, which must not look as if there were none. */
  #under(prefix: string, exact: boolean): readonly Entry[] {
    const { root } = registryKeys(this.#cluster);
    if (!prefix.startsWith(root) && !root.startsWith(prefix)) {
      throw new OperationError("state-of-another", `this tells of the cluster ${this.#cluster}, and of no other`, {
        next: "name the state of the cluster that the manifest names",
      });
    }
    return this.#entries.filter(({ key }) => (exact ? key === prefix : key.startsWith(prefix)));
  }
}

function readOnly(): OperationError {
  return new OperationError("state-read-only", "this is a file that tells of a cluster, and not the cluster itself", {
    next: "do it where the registry can be reached",
  });
}
