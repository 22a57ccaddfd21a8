import { Client, credentials, type ServiceError, status } from "@grpc/grpc-js";
import type { ObjectType } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  OBJECTS_METHODS,
  type ObjectsPart,
  type ObjectsRequest,
  PART_BYTES,
  type TipAnswer,
} from "../objects-proto/objects-proto.ts";
import type { GitObject } from "./git-object.ts";
import { ReceivedObjects } from "./received-objects.ts";

export interface HubLimits {
  /** For a tip, milliseconds: the engine may have to ask a forge first. */
  readonly tipTimeoutMs: number;
  /** For one answer of objects to its last byte, milliseconds. 8 MiB of them take this long at 0.6 Mbit/s. */
  readonly answerTimeoutMs: number;
}

/** What came of one question, also of one whose answer was cut off: all of `objects` is what its id names. */
export interface ObjectsAnswer {
  readonly objects: ReadonlyMap<string, GitObject>;
  /** The engine says it does not have them. */
  readonly missing: ReadonlySet<string>;
  readonly tooLarge: ReadonlySet<string>;
  /** Why there is no more, where the answer did not end as it should. */
  readonly failure: OperationError | null;
}

export interface ObjectsQuestion {
  readonly ids: readonly string[];
  readonly type: ObjectType | "any";
  readonly maxBytes: number;
  readonly history?: { readonly commitsMax: number; readonly have: readonly string[]; readonly roots: boolean };
}

const CHANNEL_OPTIONS = {
  "grpc.enable_retries": 0,
  "grpc.use_local_subchannel_pool": 1,
  // A message is one part and its ids.
  "grpc.max_receive_message_length": 4 * PART_BYTES,
  "grpc.initial_reconnect_backoff_ms": 100,
  "grpc.max_reconnect_backoff_ms": 1_000,
  "grpc.service_config_disable_resolution": 1,
  "grpc.enable_http_proxy": 0,
  // Between two releases no connection to an engine is held for git alone.
  "grpc.client_idle_timeout_ms": 60_000,
} as const;

/** Asks an engine for objects. Whatever it answers is bounded in bytes and time and hashed before anybody sees it. */
export class ObjectClient {
  readonly #target: string;
  readonly #limits: HubLimits;
  readonly #treeHere: (oid: string) => Uint8Array | null;
  #client: Client;
  /** Questions asked so far. */
  asked = 0;

  /** `target`: of the relay's socket, `unix:/path`. `treeHere`: see ReceivedObjects. */
  constructor(target: string, limits: HubLimits, treeHere: (oid: string) => Uint8Array | null = () => null) {
    this.#treeHere = treeHere;
    this.#target = target;
    this.#limits = limits;
    this.#client = this.#connect();
  }

  /** Rejects with OperationError. */
  async tip(holding: string): Promise<TipAnswer> {
    try {
      return await this.#tip(holding);
    } catch (error) {
      // The connection may be of an engine that has just gone; another try leads to another one.
      if (!(error instanceof ConnectionLost)) throw error;
      return this.#tip(holding);
    }
  }

  #tip(holding: string): Promise<TipAnswer> {
    const { path, requestSerialize, responseDeserialize } = OBJECTS_METHODS.Tip;
    const options = { deadline: Date.now() + this.#limits.tipTimeoutMs };
    const client = this.#client;
    this.asked++;
    return new Promise((resolve, reject) => {
      const settle = (error: ServiceError | null, answer?: TipAnswer) => {
        if (error === null && answer !== undefined) return resolve(answer);
        this.#giveUp(client);
        reject(failed(error!));
      };
      client.makeUnaryRequest(path, requestSerialize, responseDeserialize, { holding }, options, settle);
    });
  }

  objects(question: ObjectsQuestion): Promise<ObjectsAnswer> {
    const { path, requestSerialize, responseDeserialize } = OBJECTS_METHODS.Objects;
    const { ids, maxBytes, history } = question;
    const request: ObjectsRequest = {
      ids: ids.map(bytesOf),
      maxBytes,
      history: history?.commitsMax ?? 0,
      have: (history?.have ?? []).map(bytesOf),
      roots: history?.roots ?? false,
    };
    const options = { deadline: Date.now() + this.#limits.answerTimeoutMs };
    this.asked++;
    const client = this.#client;
    const received = new ReceivedObjects(question, this.#treeHere);
    const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, request, options);
    return new Promise((resolve) => {
      const end = (failure: OperationError | null) => {
        const answer = received.answer(failure);
        if (answer.failure !== null) this.#giveUp(client);
        resolve(answer);
      };
      call.on("data", (part: ObjectsPart) => {
        try {
          received.take(part);
        } catch (error) {
          // What is wrong with an answer is not mended by hearing more of it.
          call.cancel();
          end(error instanceof OperationError ? error : invalid((error as Error).message, error));
        }
      });
      call.on("error", (error: ServiceError) => end(failed(error)));
      call.on("end", () => end(null));
    });
  }

  close(): void {
    this.#client.close();
  }

  /** The relay takes a connection that is given up for a wish to hear another engine. */
  #giveUp(client: Client): void {
    if (this.#client !== client) return;
    client.close();
    this.#client = this.#connect();
  }

  #connect(): Client {
    return new Client(this.#target, credentials.createInsecure(), CHANNEL_OPTIONS);
  }
}

function failed(error: ServiceError): OperationError {
  const code = String(error.metadata?.get("fleet-code")[0] ?? "");
  const about = error.details.replace(/\s*Resolution note:.*$/s, "").slice(0, 500);
  if (PASSED_ON.has(code)) return new OperationError(code, about, { cause: error });
  if (error.code === status.DEADLINE_EXCEEDED) {
    return new OperationError("source-timeout", "the engine did not answer in full in time", { cause: error });
  }
  if (error.code === status.UNAUTHENTICATED || error.code === status.PERMISSION_DENIED) {
    return new OperationError("source-unauthorized", `the engine does not serve this machine: ${about}`, {
      cause: error,
      next: "commit this machine's stanza, which `fleet join` prints",
    });
  }
  if (error.code === status.INTERNAL || error.code === status.UNIMPLEMENTED) return invalid(about, error);
  return new ConnectionLost("source-unreachable", `no engine gives git objects: ${about}`, {
    cause: error,
    next: "check the engines, and the network to them",
  });
}

/** Told apart from an engine that says its own source is not reached. */
class ConnectionLost extends OperationError {}

/** What an engine says of its own source. */
const PASSED_ON: ReadonlySet<string> = new Set([
  "branch-missing",
  "source-unreachable",
  "source-timeout",
  "source-unauthorized",
  "source-not-found",
  "source-moved",
]);

/** What an engine sent is not what one sends. */
export function invalid(what: string, cause?: unknown): OperationError {
  return new OperationError("source-answer-invalid", `an engine's answer is refused: ${what}`, {
    cause,
    next: "look at that engine: its version, its memory, its disk",
  });
}

function bytesOf(id: string): Buffer {
  return Buffer.from(id, "hex");
}
