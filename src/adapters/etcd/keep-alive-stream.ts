import type { Client, ClientDuplexStream, ServiceError } from "@grpc/grpc-js";
import { OperationError } from "../../ports/operation-error.ts";
import type { LeaseId } from "../../ports/registry.ts";
import type { LeaseKeepAliveRequest, LeaseKeepAliveResponse, Outgoing } from "../etcd-proto/etcd-messages.ts";
import { LEASE_METHODS } from "../etcd-proto/etcd-proto.ts";
import { CALL_DEADLINE_MS, type EtcdConnection, leaderRequired, shouldDistrust } from "./etcd-connection.ts";

interface Waiting {
  readonly resolve: (isThere: boolean) => void;
  readonly reject: (error: unknown) => void;
}

interface Stream {
  readonly client: Client;
  readonly call: ClientDuplexStream<Outgoing<LeaseKeepAliveRequest>, LeaseKeepAliveResponse>;
  /** Of each lease those who ask, in the order in which they asked: so they are answered. */
  readonly waiting: Map<LeaseId, Waiting[]>;
}

/**
 * Renews leases over one stream for as long as its connection lasts: etcd has no unary call for it, and a stream of its own for each of a
 * thousand leases would cost it more than the leases do.
 */
export class KeepAliveStream {
  readonly #connection: EtcdConnection;
  #stream: Stream | null = null;

  constructor(connection: EtcdConnection) {
    this.#connection = connection;
  }

  /** False where the lease is gone. Rejects with grpc-js's ServiceError or OperationError; has a deadline of its own. */
  async renew(lease: LeaseId): Promise<boolean> {
    const client = await this.#connection.client();
    const stream = this.#stream?.client === client ? this.#stream : this.#open(client);
    return new Promise((resolve, reject) => {
      const late = setTimeout(() => {
        this.#fail(
          stream,
          new OperationError("registry-timeout", `no answer to a keep-alive in ${CALL_DEADLINE_MS} ms`),
        );
        this.#connection.distrust(client);
      }, CALL_DEADLINE_MS);
      const waiting = { resolve: after(late, resolve), reject: after(late, reject) };
      stream.waiting.set(lease, [...(stream.waiting.get(lease) ?? []), waiting]);
      stream.call.write({ ID: lease });
    });
  }

  close(): void {
    if (this.#stream !== null) {
      this.#fail(this.#stream, new OperationError("registry-closed", "the connection to the registry is closed"));
    }
  }

  #open(client: Client): Stream {
    this.close();
    const { path, requestSerialize, responseDeserialize } = LEASE_METHODS.LeaseKeepAlive;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize, leaderRequired());
    const stream: Stream = { client, call, waiting: new Map() };
    call.on("data", ({ ID, TTL }) => {
      const [first, ...others] = stream.waiting.get(ID) ?? [];
      if (others.length > 0) stream.waiting.set(ID, others);
      else stream.waiting.delete(ID);
      first?.resolve(TTL !== "0");
    });
    call.on("error", (error: ServiceError) => {
      if (stream.waiting.size > 0 && shouldDistrust(error)) this.#connection.distrust(client);
      this.#fail(stream, error);
    });
    call.on("end", () => {
      this.#fail(stream, new OperationError("registry-unreachable", "the keep-alive ended without an answer"));
    });
    this.#stream = stream;
    return stream;
  }

  /** Nobody waits for it any more, and the next one opens another. */
  #fail(stream: Stream, error: unknown): void {
    if (this.#stream === stream) this.#stream = null;
    const waiting = [...stream.waiting.values()].flat();
    stream.waiting.clear();
    stream.call.cancel();
    for (const { reject } of waiting) reject(error);
  }
}

function after<Value>(timer: NodeJS.Timeout, act: (value: Value) => void): (value: Value) => void {
  return (value) => {
    clearTimeout(timer);
    act(value);
  };
}
