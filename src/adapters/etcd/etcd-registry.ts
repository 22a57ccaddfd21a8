import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type {
  Entry,
  LeaseId,
  Listing,
  ListOptions,
  Registry,
  RegistryDescription,
  Txn,
  TxnResult,
  WatchMessage,
} from "../../ports/registry.ts";
import type { EtcdMessageName, EtcdMessages, Outgoing, ResponseHeader } from "../etcd-proto/etcd-messages.ts";
import {
  CLUSTER_METHODS,
  type EtcdMethod,
  KV_METHODS,
  LEASE_METHODS,
  MAINTENANCE_METHODS,
} from "../etcd-proto/etcd-proto.ts";
import { EtcdConnection } from "./etcd-connection.ts";
import { operationErrorOf } from "./etcd-error.ts";
import { entryOf, keyAfter, rangeOf, txnRequestOf } from "./etcd-messages-of.ts";
import { KeepAliveStream } from "./keep-alive-stream.ts";
import type { RegistryAddress } from "./registry-address.ts";
import type { TlsFiles } from "./tls-files.ts";
import { watchKeys } from "./watch-keys.ts";

/** Keys in one page: a range of 20,000 held the embedded server's loop for 40 ms, one of 1,000 for 2; paging costs 10 to 30 %. */
export const LIST_PAGE_KEYS = 1_000;
/** How often a listing of "now" starts over because history was compacted under it; compactions come minutes apart. */
const LIST_ATTEMPTS = 3;
/** etcd raises shorter leases to this, so asking for less would only mislead. */
const LEASE_SECONDS_MIN = 2;

/** A registry that speaks etcd's v3 wire: etcd 3.4 and 3.5, and fleet's own embedded one. */
export class EtcdRegistry implements Registry {
  readonly #address: RegistryAddress;
  readonly #clock: Clock;
  readonly #calls: EtcdConnection;
  /** Apart from the calls, so that a backlog of events never delays a keep-alive. */
  readonly #watches: EtcdConnection;
  readonly #keepAlives: KeepAliveStream;
  readonly #closed = new AbortController();
  /** Of the store last heard from; another one means that what was known is worth nothing. */
  #clusterId: string | null = null;

  constructor(address: RegistryAddress, clock: Clock, tls: TlsFiles) {
    this.#address = address;
    this.#clock = clock;
    this.#calls = new EtcdConnection(address, clock, tls);
    this.#watches = new EtcdConnection(address, clock, tls);
    this.#keepAlives = new KeepAliveStream(this.#calls);
  }

  async list(prefix: string, options: ListOptions = {}): Promise<Listing> {
    for (let attempt = 1; ; attempt++) {
      try {
        return await this.#listOnce(prefix, options);
      } catch (error) {
        const compactedMeanwhile = error instanceof OperationError && error.code === "revision-compacted";
        if (!compactedMeanwhile || options.revision !== undefined || attempt === LIST_ATTEMPTS) throw error;
      }
    }
  }

  async txn(txn: Txn): Promise<TxnResult> {
    const writes = [...txn.then, ...(txn.otherwise ?? [])].some(({ kind }) => kind !== "list");
    const response = await this.#call(writes ? "write" : "read", KV_METHODS.Txn, txnRequestOf(txn), writes);
    return {
      succeeded: response.succeeded,
      revision: Number(response.header!.revision),
      listings: response.responses.flatMap(({ response_range }) =>
        response_range ? [response_range.kvs.map(entryOf)] : [],
      ),
    };
  }

  watch(prefix: string, after: number, signal: AbortSignal): AsyncIterable<WatchMessage> {
    return watchKeys({
      connection: this.#watches,
      clock: this.#clock,
      prefix,
      after,
      clusterId: this.#clusterId,
      currentRevision: () => this.#currentRevision(prefix),
      doing: `watch ${prefix} on ${this.#address.text}`,
      signal: AbortSignal.any([signal, this.#closed.signal]),
    });
  }

  async grantLease(ttlMs: number): Promise<LeaseId> {
    const seconds = Math.max(LEASE_SECONDS_MIN, Math.ceil(ttlMs / 1_000));
    const { ID } = await this.#call("grant a lease", LEASE_METHODS.LeaseGrant, { TTL: String(seconds) });
    return ID;
  }

  async keepAlive(lease: LeaseId): Promise<boolean> {
    try {
      return await this.#keepAlives.renew(lease);
    } catch (error) {
      throw operationErrorOf(error, `keep lease ${lease} alive on ${this.#address.text}`, false);
    }
  }

  async revokeLease(lease: LeaseId): Promise<void> {
    try {
      await this.#call(`revoke lease ${lease}`, LEASE_METHODS.LeaseRevoke, { ID: lease });
    } catch (error) {
      if (!(error instanceof OperationError && error.code === "lease-not-found")) throw error;
    }
  }

  async describe(): Promise<RegistryDescription> {
    // Some of etcd's releases tell one of the two to root alone (etcd #21663).
    const [server, list] = await Promise.all([
      this.#call("ask the version", MAINTENANCE_METHODS.Status, {}).catch(unlessDenied),
      this.#call("list the members", CLUSTER_METHODS.MemberList, {}).catch(unlessDenied),
    ]);
    if (server instanceof OperationError) {
      if (list instanceof OperationError) throw server;
      const { revision, cluster_id } = list.header!;
      return { version: "", revision: Number(revision), members: list.members.length, clusterId: cluster_id };
    }
    const { revision, cluster_id } = server.header!;
    return {
      version: server.version,
      revision: Number(revision),
      members: list instanceof OperationError ? 0 : list.members.length,
      clusterId: cluster_id,
      alarms: server.errors,
      storeBytes: Number(server.dbSize),
    };
  }

  async close(): Promise<void> {
    this.#closed.abort();
    this.#keepAlives.close();
    this.#calls.close();
    this.#watches.close();
  }

  async #listOnce(prefix: string, options: ListOptions): Promise<Listing> {
    const entries: Entry[] = [];
    let { revision } = options;
    for (let range = rangeOf(prefix, options.exact); ; ) {
      const page = await this.#call(`list ${prefix}`, KV_METHODS.Range, {
        ...range,
        limit: String(LIST_PAGE_KEYS),
        ...(revision === undefined ? {} : { revision: String(revision) }),
      });
      revision ??= Number(page.header!.revision);
      for (const kv of page.kvs) entries.push(entryOf(kv));
      if (!page.more) return { revision, entries };
      range = { ...range, key: keyAfter(page.kvs.at(-1)!.key) };
    }
  }

  /** As a majority knows it: a linearizable read, of a key this user may read, waits until the member asked has caught up. */
  async #currentRevision(key: string): Promise<number> {
    const { header } = await this.#call("read the revision", KV_METHODS.Range, {
      key: Buffer.from(key === "" ? "\0" : key),
      count_only: true,
    });
    return Number(header!.revision);
  }

  async #call<Request extends EtcdMessageName, Response extends EtcdMessageName>(
    doing: string,
    method: EtcdMethod<Request, Response>,
    message: Outgoing<EtcdMessages[Request]>,
    writes = false,
  ): Promise<EtcdMessages[Response]> {
    try {
      const response = await this.#calls.unary(method, message);
      this.#clusterId = (response as { header: ResponseHeader }).header.cluster_id;
      return response;
    } catch (error) {
      throw operationErrorOf(error, `${doing} on ${this.#address.text}`, writes);
    }
  }
}

function unlessDenied(error: unknown): OperationError {
  if (error instanceof OperationError && error.code === "registry-denied") return error;
  throw error;
}
