import protobuf from "protobufjs/light.js";
import { messageMethods } from "../proto/message-methods.ts";

/**
 * Git objects from an engine to a machine. Nothing in these messages is believed but that bytes hash to the id they were asked by; the
 * engine's tip is a claim, which whoever asked judges.
 */
export interface TipRequest {
  /** A commit (40 hexadecimal digits) the caller has heard of, or "": where the engine's mirror has it, a tip known for a while will do. */
  readonly holding: string;
}

export interface TipAnswer {
  readonly commit: string;
  readonly branch: string;
}

export interface ObjectsRequest {
  /** 20 bytes each, at most IDS_MAX. */
  readonly ids: readonly Uint8Array[];
  /** Larger objects are not sent; at most OBJECT_BYTES_MAX. */
  readonly maxBytes: number;
  /** Also at most that many commits before these, nearest first (`ObjectSource.related`); at most HISTORY_MAX. */
  readonly history: number;
  /** Also the root tree of each of these commits; of one commit after another also all trees that are new in it. */
  readonly roots: boolean;
  /** Commits, 20 bytes each, at most IDS_MAX: they and what is before them is not sent as history. */
  readonly have: readonly Uint8Array[];
}

/**
 * Some pieces of the answer, in order; an object has one or, where it is large, several in a row. Objects of which an answer says nothing
 * did not fit into it and are to be asked for again: the first one asked for is always answered.
 */
export interface ObjectsPart {
  readonly pieces: readonly ObjectPiece[];
}

export interface ObjectPiece {
  readonly id: Uint8Array;
  /** What it is, or why it does not come: then nothing below is set. */
  readonly kind: PieceKind;
  /** Of the whole object, bytes. */
  readonly size: number;
  /** Where `content` begins in it. */
  readonly offset: number;
  readonly content: Uint8Array;
  /** Of a splice: the tree, 20 bytes, that it is made of (splice.ts). Who does not have that tree takes it for not said. */
  readonly base: Uint8Array;
}

/** git's own numbers for types (gitformat-pack), and three more. */
export const PIECE_KINDS = { commit: 1, tree: 2, blob: 3, tag: 4, missing: 16, tooLarge: 17, splice: 18 } as const;
export type PieceKind = (typeof PIECE_KINDS)[keyof typeof PIECE_KINDS];

/** Ids of one request: 20 KiB. A folder of 20,000 units is 20 requests. */
export const IDS_MAX = 1_000;
/** Commits of one answer; a branch that moved further is read on by the next request. */
export const HISTORY_MAX = 1_000;
/** As large as a tree that fleet reads may be (commit-reader.ts). */
export const OBJECT_BYTES_MAX = 16 * 1024 * 1024;
/** Contents of one answer; an object that begins below it is sent to its end. */
export const ANSWER_BYTES_MAX = 8 * 1024 * 1024;
/** Contents of one message: few messages for many units, and little to hold for a client that is slow. */
export const PART_BYTES = 64 * 1024;
/** Trees that come along with a commit. One unit changes as many as its path has folders; who changed more is asked level by level. */
export const CHANGED_TREES_MAX = 256;

const root = protobuf.Root.fromJSON({
  nested: {
    TipRequest: { fields: { holding: { type: "string", id: 1 } } },
    TipAnswer: { fields: { commit: { type: "string", id: 1 }, branch: { type: "string", id: 2 } } },
    ObjectsRequest: {
      fields: {
        ids: { rule: "repeated", type: "bytes", id: 1 },
        maxBytes: { type: "uint32", id: 2 },
        history: { type: "uint32", id: 3 },
        have: { rule: "repeated", type: "bytes", id: 4 },
        roots: { type: "bool", id: 5 },
      },
    },
    ObjectsPart: { fields: { pieces: { rule: "repeated", type: "ObjectPiece", id: 1 } } },
    ObjectPiece: {
      fields: {
        id: { type: "bytes", id: 1 },
        kind: { type: "uint32", id: 2 },
        size: { type: "uint32", id: 3 },
        offset: { type: "uint32", id: 4 },
        content: { type: "bytes", id: 5 },
        base: { type: "bytes", id: 6 },
      },
    },
  },
});

const method = messageMethods("fleet.Objects", root);

export const OBJECTS_METHODS = {
  Tip: method<TipRequest, TipAnswer>("Tip", "TipRequest", "TipAnswer"),
  Objects: method<ObjectsRequest, ObjectsPart>("Objects", "ObjectsRequest", "ObjectsPart", { responseStream: true }),
};
