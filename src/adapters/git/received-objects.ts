import type { ObjectType } from "../../ports/object-source.ts";
import type { OperationError } from "../../ports/operation-error.ts";
import {
  ANSWER_BYTES_MAX,
  CHANGED_TREES_MAX,
  OBJECT_BYTES_MAX,
  type ObjectPiece,
  type ObjectsPart,
  PIECE_KINDS,
} from "../objects-proto/objects-proto.ts";
import { spliced } from "../objects-proto/splice.ts";
import { parseCommit } from "./commit-object.ts";
import { type GitObject, objectId } from "./git-object.ts";
import { invalid, type ObjectsAnswer, type ObjectsQuestion } from "./object-client.ts";

const TYPES = new Map<number, ObjectType>(
  (["commit", "tree", "blob", "tag"] as const).map((type) => [PIECE_KINDS[type], type]),
);

const NOTHING = new Uint8Array();

/** What is sent, and trees that were made of what is here. */
const HELD_BYTES_MAX = 2 * ANSWER_BYTES_MAX;

interface Growing {
  readonly id: string;
  readonly type: ObjectType;
  readonly content: Buffer;
  filled: number;
}

/**
 * Puts an answer's pieces together and believes none of it: an object counts once its bytes hash to an id that was asked for, or that an
 * object which does names (a commit before it, its root tree, a folder of one). No more is held than what may be asked for at once.
 */
export class ReceivedObjects {
  readonly #question: ObjectsQuestion;
  readonly #asked: ReadonlySet<string>;
  readonly #treeHere: (oid: string) => Uint8Array | null;
  /** Ids that may follow without having been asked for, and what they must be. */
  readonly #related = new Map<string, ObjectType>();
  readonly #objects = new Map<string, GitObject>();
  readonly #missing = new Set<string>();
  readonly #tooLarge = new Set<string>();
  #growing: Growing | null = null;
  #bytes = 0;
  #commits = 0;
  #splices = 0;

  /** `treeHere`: a tree this machine has already, of which others may be said to be made; null where it has not. */
  constructor(question: ObjectsQuestion, treeHere: (oid: string) => Uint8Array | null) {
    this.#question = question;
    this.#treeHere = treeHere;
    this.#asked = new Set(question.ids);
  }

  /** Throws OperationError `source-answer-invalid`. */
  take({ pieces }: ObjectsPart): void {
    for (const piece of pieces) {
      const id = Buffer.from(piece.id).toString("hex");
      const type = TYPES.get(piece.kind);
      if (piece.kind === PIECE_KINDS.splice) this.#takeSplice(piece, id);
      else if (type === undefined) this.#takeAbsence(piece, id);
      else this.#takePiece(piece, id, type);
    }
  }

  answer(failure: OperationError | null): ObjectsAnswer {
    const said = this.#objects.size + this.#missing.size + this.#tooLarge.size;
    const unfinished = failure === null && (this.#growing !== null || said === 0);
    return {
      objects: this.#objects,
      missing: this.#missing,
      tooLarge: this.#tooLarge,
      failure: unfinished ? invalid(`it ends before it has said anything of ${this.#question.ids[0]}`) : failure,
    };
  }

  #takePiece(piece: ObjectPiece, id: string, type: ObjectType): void {
    const growing = this.#growing ?? this.#begin(piece, id, type);
    const { content, filled } = growing;
    const isNext = growing.id === id && growing.type === type && piece.offset === filled;
    if (!isNext || piece.size !== content.length || piece.content.length > content.length - filled) {
      throw invalid(`the pieces of object ${growing.id} do not fit each other`);
    }
    if (piece.content.length === 0 && content.length > 0) throw invalid(`a piece of object ${id} is empty`);
    content.set(piece.content, filled);
    growing.filled += piece.content.length;
    this.#growing = growing.filled < content.length ? growing : null;
    if (this.#growing === null) this.#finish({ type, content }, id);
  }

  /** One of a tree that is not here says nothing: whoever needs the result asks for it by its id. */
  #takeSplice(piece: ObjectPiece, id: string): void {
    if (this.#growing !== null || ++this.#splices > CHANGED_TREES_MAX) throw invalid(`it breaks off at tree ${id}`);
    const base = piece.base.length === 0 ? NOTHING : this.#treeHere(Buffer.from(piece.base).toString("hex"));
    if (base === null || this.#objects.has(id) || !this.#isNamed(id)) return;
    this.#count(piece, id);
    const content = spliced(base, piece, piece.size);
    if (content === null) throw invalid(`tree ${id} cannot be made of ${piece.size} bytes`);
    this.#finish({ type: "tree", content }, id);
  }

  /** Whether a tree of this answer has it among its entries. */
  #isNamed(id: string): boolean {
    if (this.#related.get(id) === "tree") return true;
    const bytes = Buffer.from(id, "hex");
    return [...this.#objects.values()].some(({ type, content }) => type === "tree" && content.includes(bytes));
  }

  #begin(piece: ObjectPiece, id: string, type: ObjectType): Growing {
    const expected = this.#asked.has(id) ? this.#question.type : this.#related.get(id);
    if (expected === undefined) throw invalid(`object ${id} was not asked for`);
    if (this.#objects.has(id)) throw invalid(`object ${id} comes twice`);
    if (expected !== "any" && expected !== type) throw invalid(`object ${id} is to be a ${expected} and is a ${type}`);
    this.#count(piece, id);
    return { id, type, content: Buffer.allocUnsafe(piece.size), filled: 0 };
  }

  #count({ size }: ObjectPiece, id: string): void {
    if (size > Math.min(this.#question.maxBytes, OBJECT_BYTES_MAX)) throw invalid(`object ${id} is too large`);
    // One that begins below the limit is sent whole.
    if (this.#bytes > HELD_BYTES_MAX) throw invalid(`it is longer than ${HELD_BYTES_MAX} bytes`);
    this.#bytes += size;
  }

  #finish(object: GitObject, id: string): void {
    if (objectId(object) !== id) throw invalid(`the bytes it sends for object ${id} are others`);
    this.#objects.set(id, object);
    const { history } = this.#question;
    if (history === undefined || object.type !== "commit") return;
    if (!this.#asked.has(id) && ++this.#commits > history.commitsMax)
      throw invalid("it has more commits than asked for");
    const { tree, parents } = parseCommit(object.content, id);
    for (const parent of parents) this.#related.set(parent, "commit");
    if (history.roots && this.#asked.has(id)) this.#related.set(tree, "tree");
  }

  #takeAbsence({ kind }: ObjectPiece, id: string): void {
    const isKnown = this.#asked.has(id) || this.#related.has(id);
    const isSaid = this.#objects.has(id) || this.#missing.has(id) || this.#tooLarge.has(id);
    if (this.#growing !== null || !isKnown || isSaid) throw invalid(`it breaks off at object ${id}`);
    if (kind === PIECE_KINDS.missing) this.#missing.add(id);
    else if (kind === PIECE_KINDS.tooLarge) this.#tooLarge.add(id);
    else throw invalid(`it has a piece of the unknown kind ${kind}`);
  }
}
