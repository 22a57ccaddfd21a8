import {
  type handleServerStreamingCall,
  type handleUnaryCall,
  Metadata,
  type ServerWritableStream,
  type ServiceError,
  status,
} from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { err, type Log } from "../../ports/log.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  HISTORY_MAX,
  IDS_MAX,
  OBJECTS_METHODS,
  type ObjectsPart,
  type ObjectsRequest,
  type TipAnswer,
  type TipRequest,
} from "../objects-proto/objects-proto.ts";
import { type Serving, sendObjects } from "./send-objects.ts";
import { TipKeeper } from "./tip-keeper.ts";
import { TreeChanges } from "./tree-changes.ts";

/**
 * Answers being read and sent at once to one machine. Its agent asks one question after the other; each answer holds one object and one
 * message, whatever its reader does.
 */
const ANSWERS_PER_PEER_MAX = 4;

/** A type and not an interface: only so is it one of gRPC's sets of handlers. */
type ObjectHandlers = {
  Tip: handleUnaryCall<TipRequest, TipAnswer>;
  Objects: handleServerStreamingCall<ObjectsRequest, ObjectsPart>;
};

/**
 * `fleet.Objects`: the repository's objects as they are in this engine's mirror, to machines that hash them. Any object of the mirror is
 * given to whoever may call this at all: an engine mirrors one branch and nothing else, every machine of a cluster could always read that
 * branch, and to ask for an object one must know its id already.
 */
export class ObjectDesk {
  readonly #serving: Serving;
  readonly #branch: string;
  readonly #log: Log;
  readonly #answers = new Map<string, number>();

  constructor(options: {
    readonly source: ObjectSource;
    readonly branch: string;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    const { source, clock } = options;
    this.#serving = { source, tips: new TipKeeper(source, clock), changes: new TreeChanges(source) };
    this.#branch = options.branch;
    this.#log = options.log;
  }

  /** For one machine, by its name or id, over any number of connections. */
  service(peer: string): { readonly methods: typeof OBJECTS_METHODS; readonly handlers: ObjectHandlers } {
    return {
      methods: OBJECTS_METHODS,
      handlers: {
        Tip: (call, answer) => {
          this.#serving.tips.tip(call.request.holding).then(
            (commit) => answer(null, { commit, branch: this.#branch }),
            (error: unknown) => answer(refusal(error, this.#log)),
          );
        },
        Objects: (call) => {
          const problem = badRequest(call.request);
          if (problem !== null) call.emit("error", problem);
          else void this.#answer(peer, call);
        },
      },
    };
  }

  async #answer(peer: string, call: ServerWritableStream<ObjectsRequest, ObjectsPart>): Promise<void> {
    const answers = this.#answers.get(peer) ?? 0;
    if (answers >= ANSWERS_PER_PEER_MAX) return void call.emit("error", BUSY);
    this.#answers.set(peer, answers + 1);
    try {
      await sendObjects(call, this.#serving);
    } catch (error) {
      call.emit("error", refusal(error, this.#log));
    } finally {
      const left = this.#answers.get(peer)! - 1;
      if (left > 0) this.#answers.set(peer, left);
      else this.#answers.delete(peer);
    }
  }
}

const BUSY = {
  code: status.RESOURCE_EXHAUSTED,
  details: `this machine is being answered ${ANSWERS_PER_PEER_MAX} times already`,
};

function badRequest({ ids, have, history }: ObjectsRequest): Partial<ServiceError> | null {
  const wrong =
    ids.length === 0 ||
    ids.length > IDS_MAX ||
    have.length > IDS_MAX ||
    history > HISTORY_MAX ||
    [...ids, ...have].some((id) => id.length !== 20);
  return wrong ? { code: status.INVALID_ARGUMENT, details: "not a question for objects" } : null;
}

/** The code goes along: "there is no such branch" is to be told apart from "not now". */
function refusal(error: unknown, log: Log): Partial<ServiceError> {
  if (!(error instanceof OperationError)) {
    log(err(`a question for git objects failed: ${error instanceof Error ? (error.stack ?? error.message) : error}`));
    return { code: status.INTERNAL, details: "the engine made a mistake; its log says which" };
  }
  const metadata = new Metadata();
  metadata.set("fleet-code", error.code);
  return { code: status.UNAVAILABLE, details: error.message, metadata };
}
