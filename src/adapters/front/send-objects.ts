import type { ServerWritableStream } from "@grpc/grpc-js";
import type { ObjectSource } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";
import {
  ANSWER_BYTES_MAX,
  OBJECT_BYTES_MAX,
  type ObjectPiece,
  type ObjectsPart,
  type ObjectsRequest,
  PART_BYTES,
  PIECE_KINDS,
} from "../objects-proto/objects-proto.ts";
import type { TipKeeper } from "./tip-keeper.ts";
import type { TreeChanges } from "./tree-changes.ts";

/** A client that takes nothing for this long is not there any more. */
const STALLED_MS = 30_000;
/** What a piece costs beside its content: a message of nothing but missing objects is bounded, too. */
const PIECE_BYTES = 40;

export interface Serving {
  readonly source: ObjectSource;
  readonly tips: TipKeeper;
  readonly changes: TreeChanges;
}

type Call = ServerWritableStream<ObjectsRequest, ObjectsPart>;

/** Reads one object after the other and sends it on as fast as the client takes it; other work of the process goes between. */
export async function sendObjects(call: Call, { source, tips, changes }: Serving): Promise<void> {
  const { history, have } = call.request;
  const maxBytes = Math.min(call.request.maxBytes, OBJECT_BYTES_MAX);
  const ids = call.request.ids.map(hexOf);
  const isHistory = history > 0 || call.request.roots;
  const out = new PartWriter(call);
  const sent = new Set<string>();
  const send = async (asked: Iterable<string>): Promise<void> => {
    for (const id of asked) {
      if (call.cancelled || out.bytes >= ANSWER_BYTES_MAX) return;
      if (sent.has(id)) continue;
      sent.add(id);
      let object = await source.readObject(id, maxBytes);
      if (object.kind === "missing" && (await tips.catchUp())) object = await source.readObject(id, maxBytes);
      while (isHistory && object.kind === "missing" && (await source.deepen())) {
        object = await source.readObject(id, maxBytes);
      }
      await out.add(Buffer.from(id, "hex"), object);
    }
  };
  await send(ids);
  if (isHistory) {
    const { roots, before } = await source.related(ids, new Set(have.map(hexOf)), history);
    if (call.request.roots) {
      const [from, to] = [have.map(hexOf), ids];
      const pieces = from.length === 1 && to.length === 1 ? await changes.between(from[0]!, to[0]!) : [];
      for (const piece of pieces) await out.put(piece);
      const spliced = new Set(pieces.map(({ id }) => hexOf(id)));
      await send(roots.filter((root) => !spliced.has(root)));
    }
    await send(before);
  }
  await out.flush();
  if (!call.cancelled) call.end();
}

class PartWriter {
  readonly #call: Call;
  #pieces: ObjectPiece[] = [];
  #filled = 0;
  /** Contents so far. */
  bytes = 0;

  constructor(call: Call) {
    this.#call = call;
  }

  async add(id: Buffer, object: Awaited<ReturnType<ObjectSource["readObject"]>>): Promise<void> {
    if (object.kind !== "here") {
      const kind = object.kind === "missing" ? PIECE_KINDS.missing : PIECE_KINDS.tooLarge;
      return this.put({ id, kind, size: 0, offset: 0, content: NOTHING, base: NOTHING });
    }
    const { content } = object;
    for (let offset = 0; offset === 0 || offset < content.length; ) {
      const end = Math.min(content.length, offset + Math.max(1, PART_BYTES - this.#filled));
      const piece = content.subarray(offset, end);
      await this.put({
        id,
        kind: PIECE_KINDS[object.type],
        size: content.length,
        offset,
        content: piece,
        base: NOTHING,
      });
      if (content.length === 0) return;
      offset = end;
    }
  }

  async put(piece: ObjectPiece): Promise<void> {
    this.#pieces.push(piece);
    this.#filled += piece.content.length + PIECE_BYTES;
    this.bytes += piece.content.length;
    if (this.#filled >= PART_BYTES) await this.flush();
  }

  async flush(): Promise<void> {
    if (this.#pieces.length === 0 || this.#call.cancelled) return;
    const pieces = this.#pieces;
    this.#pieces = [];
    this.#filled = 0;
    if (this.#call.write({ pieces })) return new Promise((resolve) => setImmediate(resolve));
    await drained(this.#call);
  }
}

/** Waits until the client has taken what was written, or is gone. Rejects where it does neither. */
function drained(call: Call): Promise<void> {
  return new Promise((resolve, reject) => {
    if (call.cancelled || call.destroyed) return resolve();
    const stalled = setTimeout(() => {
      reject(new OperationError("client-stalled", `the client took nothing for ${STALLED_MS} ms`));
      end();
    }, STALLED_MS);
    const end = () => {
      clearTimeout(stalled);
      for (const event of ENDS) call.off(event, end);
      resolve();
    };
    for (const event of ENDS) call.once(event, end);
  });
}

const ENDS = ["drain", "close", "cancelled"] as const;

const NOTHING = Buffer.alloc(0);

function hexOf(id: Uint8Array): string {
  return Buffer.from(id).toString("hex");
}
