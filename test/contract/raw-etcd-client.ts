import { type ChannelOptions, Client, type ClientDuplexStream, credentials, type ServiceError } from "@grpc/grpc-js";
import type {
  EtcdMessageName,
  EtcdMessages,
  Event,
  Outgoing,
  WatchResponse,
} from "../../src/adapters/etcd-proto/etcd-messages.ts";
import { type EtcdMethod, WATCH_METHODS } from "../../src/adapters/etcd-proto/etcd-proto.ts";

const OPTIONS: ChannelOptions = { "grpc.max_receive_message_length": -1, "grpc.use_local_subchannel_pool": 1 };
const CALL_LIMIT_MS = 5_000;

export type Answer<Message> = { readonly response: Message } | { readonly code: number; readonly details: string };

/** etcd's calls as they are, errors as values: for tests that compare two servers. */
export class RawEtcdClient {
  readonly #client: Client;
  readonly #watches: RawWatch[] = [];

  constructor(target: string) {
    this.#client = new Client(target, credentials.createInsecure(), OPTIONS);
  }

  call<Request extends EtcdMessageName, Response extends EtcdMessageName>(
    method: EtcdMethod<Request, Response>,
    request: Outgoing<EtcdMessages[Request]>,
  ): Promise<Answer<EtcdMessages[Response]>> {
    const { path, requestSerialize, responseDeserialize } = method;
    const options = { deadline: Date.now() + CALL_LIMIT_MS };
    return new Promise((resolve) => {
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, options, (error, response) =>
        resolve(error === null ? { response: response! } : { code: error.code, details: error.details }),
      );
    });
  }

  watch(request: Outgoing<EtcdMessages["WatchRequest"]>): RawWatch {
    const { path, requestSerialize, responseDeserialize } = WATCH_METHODS.Watch;
    const watch = new RawWatch(this.#client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize));
    this.#watches.push(watch);
    watch.send(request);
    return watch;
  }

  close(): void {
    for (const watch of this.#watches) watch.cancel();
    this.#client.close();
  }
}

/** One watch stream and all it said. */
export class RawWatch {
  readonly responses: WatchResponse[] = [];
  readonly events: Event[] = [];
  error: ServiceError | undefined;
  readonly #call: ClientDuplexStream<Outgoing<EtcdMessages["WatchRequest"]>, WatchResponse>;

  constructor(call: ClientDuplexStream<Outgoing<EtcdMessages["WatchRequest"]>, WatchResponse>) {
    this.#call = call;
    call.on("data", (response: WatchResponse) => {
      this.responses.push(response);
      this.events.push(...response.events);
    });
    call.on("error", (error: ServiceError) => {
      this.error = error;
    });
  }

  send(request: Outgoing<EtcdMessages["WatchRequest"]>): void {
    this.#call.write(request);
  }

  cancel(): void {
    this.#call.cancel();
  }
}

/** Resolves once the condition holds; rejects after `limitMs` of waiting. */
export async function until(condition: () => boolean, what: () => string, limitMs = 10_000): Promise<void> {
  const endMs = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`waited ${limitMs} ms in vain: ${what()}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
