import {
  Metadata,
  type ServerUnaryCall,
  type ServerWritableStream,
  type ServiceError,
  type sendUnaryData,
  status,
} from "@grpc/grpc-js";
import type { Clock } from "../../ports/clock.ts";
import { err, type Log } from "../../ports/log.ts";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  HISTORY_MAX,
  IDS_MAX,
  type ObjectsPart,
  type ObjectsRequest,
  type TipAnswer,
  type TipRequest,
} from "../objects-proto/objects-proto.ts";
import { sendObjects } from "./send-objects.ts";
import { TipKeeper } from "./tip-keeper.ts";
import { TreeChanges } from "./tree-changes.ts";

/** Answers being read and sent at once. Each holds one object and one message, whatever its client does: 1,000 machines, some MiB. */
const ANSWERS_MAX = 2_000;

export interface ObjectService {
  Tip(call: ServerUnaryCall<TipRequest, TipAnswer>, answer: sendUnaryData<TipAnswer>): void;
  Objects(call: ServerWritableStream<ObjectsRequest, ObjectsPart>): void;
}

/**
 * `fleet.Objects`: the repository's objects as they are in this engine's mirror, to machines that hash them. Any object of the mirror is
 * given to whoever may call this at all: an engine mirrors one branch and nothing else, every machine of a cluster could always read that
 * branch, and to ask for an object one must know its id already.
 */
export function objectService(options: {
  readonly source: ObjectSource;
  readonly branch: string;
  readonly clock: Clock;
  readonly log: Log;
}): ObjectService {
  const { source, branch, log } = options;
  const tips = new TipKeeper(source, options.clock);
  const serving = { source, tips, changes: new TreeChanges(source) };
  let answers = 0;
  return {
    Tip(call, answer) {
      tips.tip(call.request.holding).then(
        (commit) => answer(null, { commit, branch }),
        (error: unknown) => answer(refusal(error, log)),
      );
    },
    Objects(call) {
      const problem = answers >= ANSWERS_MAX ? BUSY : badRequest(call.request);
      if (problem !== null) {
        call.emit("error", problem);
        return;
      }
      answers++;
      sendObjects(call, serving)
        .catch((error: unknown) => call.emit("error", refusal(error, log)))
        .finally(() => answers--);
    },
  };
}

const BUSY = { code: status.RESOURCE_EXHAUSTED, details: `${ANSWERS_MAX} answers are under way already` };

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
