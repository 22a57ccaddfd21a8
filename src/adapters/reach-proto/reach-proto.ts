import { Metadata, type ServiceError, status } from "@grpc/grpc-js";
import protobuf from "protobufjs/light.js";
import { OperationError } from "../../ports/operation-error.ts";
import { messageMethods } from "../proto/message-methods.ts";

/**
 * How a terminal reads something of a machine that only dials out: the machine keeps one call of `Serve` open to an engine; who asks calls
 * `Ask` there; the engine hands the ask on as a `Call`, and the machine answers it by a call of `Answer`, which the engine carries to who
 * asked. Each answer is a stream of its own, so that a reader who is slow holds up nothing but what it reads.
 */
export interface AskRequest {
  /** Which machine is to answer: its id. */
  readonly machine: string;
  /** The ask as it was signed; the engine does not look into it. */
  readonly text: string;
  readonly signature: Uint8Array;
}

export interface Call {
  /** The engine's name for it. */
  readonly id: string;
  readonly text: string;
  readonly signature: Uint8Array;
}

/** Each has the call's id. One is the last: a connection that is cut ends no answer. A refusal is the only one. */
export interface AnswerPart {
  readonly id: string;
  readonly content: Uint8Array;
  readonly isLast: boolean;
  readonly refusal: { readonly code: string; readonly message: string; readonly next: string } | null;
}

export interface AskPart {
  readonly content: Uint8Array;
}

/** Characters of an ask; see ASK_TEXT_MAX. */
export const TEXT_MAX = 4_096;
/** ed25519. */
export const SIGNATURE_BYTES = 64;
/** Bytes of one part: what one read of a pipe gives. */
export const PART_BYTES_MAX = 64 * 1024;

const root = protobuf.Root.fromJSON({
  nested: {
    Empty: { fields: {} },
    AskRequest: {
      fields: {
        machine: { type: "string", id: 1 },
        text: { type: "string", id: 2 },
        signature: { type: "bytes", id: 3 },
      },
    },
    AskPart: { fields: { content: { type: "bytes", id: 1 } } },
    Call: {
      fields: { id: { type: "string", id: 1 }, text: { type: "string", id: 2 }, signature: { type: "bytes", id: 3 } },
    },
    AnswerPart: {
      fields: {
        id: { type: "string", id: 1 },
        content: { type: "bytes", id: 2 },
        refusal: { type: "Refusal", id: 3 },
        isLast: { type: "bool", id: 4 },
      },
    },
    Refusal: {
      fields: { code: { type: "string", id: 1 }, message: { type: "string", id: 2 }, next: { type: "string", id: 3 } },
    },
  },
});

type Empty = Record<string, never>;

const method = messageMethods("fleet.Reach", root);

export const REACH_METHODS = {
  Serve: method<Empty, Call>("Serve", "Empty", "Call", { responseStream: true }),
  Answer: method<AnswerPart, Empty>("Answer", "AnswerPart", "Empty", { requestStream: true }),
  Ask: method<AskRequest, AskPart>("Ask", "AskRequest", "AskPart", { responseStream: true }),
};

/** A refusal as gRPC carries it, with its code and next step. */
export function refusalStatus({ code, message, next }: OperationError): Partial<ServiceError> {
  const metadata = new Metadata();
  metadata.set("fleet-code", code);
  if (next !== undefined) metadata.set("fleet-next-bin", Buffer.from(next));
  return { code: status.FAILED_PRECONDITION, details: message, metadata };
}

/** What an engine refused with; `engine-lost` where it did not, but the connection ended. */
export function refusalFrom(error: ServiceError): OperationError {
  const [code] = error.metadata.get("fleet-code");
  const [next] = error.metadata.get("fleet-next-bin");
  if (typeof code === "string") {
    const options = { cause: error, ...(next === undefined ? {} : { next: next.toString() }) };
    return new OperationError(code, error.details, options);
  }
  if (error.code === status.UNIMPLEMENTED) {
    return new OperationError("engine-too-old", "this engine's fleet carries no journals yet", {
      cause: error,
      next: "upgrade fleet there",
    });
  }
  return new OperationError("engine-lost", `the connection to the engine ended: ${error.details}`, { cause: error });
}
