import { readFile } from "node:fs/promises";
import {
  type ChannelCredentials,
  Client,
  connectivityState,
  credentials,
  Metadata,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { OperationError } from "../../ports/operation-error.ts";
import type { EtcdMessageName, EtcdMessages, Outgoing } from "../etcd-proto/etcd-messages.ts";
import type { EtcdMethod } from "../etcd-proto/etcd-proto.ts";
import type { RegistryAddress } from "./registry-address.ts";
import type { TlsFiles } from "./tls-files.ts";

/**
 * For one call, connecting included in none of it. etcd itself gives up on a write after 5 s plus two elections; a lease of
 * 15 s (the shortest fleet uses) still has room for two more attempts after one that hung this long.
 */
export const CALL_DEADLINE_MS = 5_000;
/** For reaching any endpoint: three round trips on a bad satellite line, and a lost SYN is sent again after 1 s. */
const CONNECT_LIMIT_MS = 3_000;
/** How much later the next endpoint is tried beside one that does not answer: RFC 8305's (happy eyeballs) 250 ms. */
const NEXT_ENDPOINT_AFTER_MS = 250;

const CHANNEL_OPTIONS = {
  // A lost reply must reach the caller as such; etcd transactions are not idempotent.
  "grpc.enable_retries": 0,
  // Connections are ours alone: a stalled watch must not hold up calls, and closing one must not wait for another's.
  "grpc.use_local_subchannel_pool": 1,
  // The default of 4 MB kills a watch whose backlog is bigger; pages and etcd's request limit bound what arrives.
  "grpc.max_receive_message_length": -1,
  // etcd drops clients that ping more often than every 5 s; a dead peer is noticed within 15 s.
  "grpc.keepalive_time_ms": 10_000,
  "grpc.keepalive_timeout_ms": 5_000,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  // No TXT lookups for a configuration nobody publishes, and no detour over the HTTP proxy meant for git.
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
} as const;

/**
 * One connection to whichever endpoint answers. grpc-js fails over among addresses of one name but not among names, and a
 * channel of its can get stuck connecting (grpc-node #2785): here a channel that is not ready is thrown away.
 */
export class EtcdConnection {
  readonly #address: RegistryAddress;
  readonly #clock: Clock;
  readonly #tls: TlsFiles;
  /** In the order to try them; one that failed goes last. Shuffled, so that many agents spread over the members. */
  readonly #targets: string[];
  #current: { readonly client: Client; readonly target: string } | null = null;
  #connecting: Promise<Client> | null = null;
  #closed = false;

  constructor(address: RegistryAddress, clock: Clock, tls: TlsFiles) {
    this.#address = address;
    this.#clock = clock;
    this.#tls = tls;
    this.#targets = shuffled(address.targets);
  }

  /** A client that is connected or, where no endpoint answers, one whose next call fails with the reason. */
  async client(): Promise<Client> {
    if (this.#closed) throw new OperationError("registry-closed", `the connection to ${this.#address.text} is closed`);
    const current = this.#current;
    if (current?.client.getChannel().getConnectivityState(false) === connectivityState.READY) return current.client;
    this.#connecting ??= this.#connect().finally(() => {
      this.#connecting = null;
    });
    return this.#connecting;
  }

  /** Do not use this client again: what it is connected to does not answer, though the connection looks alive. */
  distrust(client: Client): void {
    const current = this.#current;
    if (current?.client !== client) return;
    this.#current = null;
    this.#targets.push(...this.#targets.splice(this.#targets.indexOf(current.target), 1));
    client.close();
  }

  /** One call with a deadline, never retried. Rejects with grpc-js's ServiceError. */
  async unary<Request extends EtcdMessageName, Response extends EtcdMessageName>(
    method: EtcdMethod<Request, Response>,
    message: Outgoing<EtcdMessages[Request]>,
  ): Promise<EtcdMessages[Response]> {
    const client = await this.client();
    return new Promise((resolve, reject) => {
      const { path, requestSerialize, responseDeserialize } = method;
      client.makeUnaryRequest(
        path,
        requestSerialize,
        responseDeserialize,
        message,
        leaderRequired(),
        deadline(),
        (error, response) => {
          if (error === null) return resolve(response!);
          if (shouldDistrust(error)) this.distrust(client);
          reject(error);
        },
      );
    });
  }

  /** Calls in flight end on their own; new ones are refused. */
  close(): void {
    this.#closed = true;
    this.#current?.client.close();
    this.#current = null;
  }

  async #connect(): Promise<Client> {
    const channelCredentials = await this.#credentials();
    const candidates = this.#targets.map((target) => ({
      target,
      client: new Client(target, channelCredentials, CHANNEL_OPTIONS),
    }));
    const chosen = await this.#firstReady(candidates);
    for (const { client } of candidates) if (client !== chosen.client) client.close();
    this.#current?.client.close();
    this.#current = chosen;
    if (this.#closed) this.close();
    return chosen.client;
  }

  /** Starts on one endpoint after the other until one is ready; the first of them where none is. */
  async #firstReady<Candidate extends { readonly client: Client }>(
    candidates: readonly Candidate[],
  ): Promise<Candidate> {
    const limit = Date.now() + CONNECT_LIMIT_MS;
    const attempts: Promise<Candidate>[] = [];
    const stop = new AbortController();
    const anyReady = () => Promise.any(attempts).catch(() => null);
    let ready: Candidate | null = null;
    for (const candidate of candidates) {
      attempts.push(whenReady(candidate.client, limit).then(() => candidate));
      const isLast = attempts.length === candidates.length;
      const patience = isLast ? [] : [this.#clock.sleep(NEXT_ENDPOINT_AFTER_MS, stop.signal).then(() => null)];
      ready = await Promise.race([anyReady(), ...patience]);
      if (ready !== null) break;
    }
    stop.abort();
    return ready ?? candidates[0]!;
  }

  async #credentials(): Promise<ChannelCredentials> {
    if (!this.#address.secure) return credentials.createInsecure();
    const { authority, certificate, key } = this.#tls;
    const read = async (path: string | undefined) => (path === undefined ? null : await readFile(path));
    try {
      return credentials.createSsl(await read(authority), await read(key), await read(certificate));
    } catch (error) {
      throw new OperationError("registry-tls-invalid", `cannot use the TLS files for ${this.#address.text}`, {
        cause: error,
      });
    }
  }
}

/** Calls and streams that end at once, saying so, on a member that has lost its cluster, instead of hanging there. */
export function leaderRequired(): Metadata {
  const metadata = new Metadata();
  metadata.set("hasleader", "true");
  return metadata;
}

function deadline(): { deadline: number } {
  return { deadline: Date.now() + CALL_DEADLINE_MS };
}

/** Keepalive pings run only while calls do, so a short call's deadline is all that shows a dead peer; a leaderless one says so. */
export function shouldDistrust(error: ServiceError): boolean {
  return error.code === status.DEADLINE_EXCEEDED || error.code === status.UNAVAILABLE;
}

/** Rejects when the first attempt to connect failed, the limit passed or the client was closed. */
function whenReady(client: Client, limit: number): Promise<void> {
  const channel = client.getChannel();
  return new Promise((resolve, reject) => {
    const look = (state: connectivityState): void => {
      if (state === connectivityState.READY) resolve();
      else if (state === connectivityState.TRANSIENT_FAILURE || state === connectivityState.SHUTDOWN) {
        reject(new Error(connectivityState[state]));
      } else {
        channel.watchConnectivityState(state, limit, (error) => {
          if (error === undefined) look(channel.getConnectivityState(false));
          else reject(error);
        });
      }
    };
    look(channel.getConnectivityState(true));
  });
}

function shuffled(targets: readonly string[]): string[] {
  const left = [...targets];
  // Spreading load needs no reproducible randomness: the simulator has no network.
  return targets.map(() => left.splice(Math.floor(Math.random() * left.length), 1)[0]!);
}
