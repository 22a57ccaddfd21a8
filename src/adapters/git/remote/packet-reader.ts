import { invalidAnswer } from "./invalid-answer.ts";

/** One pkt-line of git's protocol (gitprotocol-common(5)), or one of its marks. */
export type Packet =
  | { readonly kind: "data"; readonly data: Buffer }
  | { readonly kind: "flush" | "delimiter" | "end" };

/** Ends a list; the server may say more after it. */
export const FLUSH = Buffer.from("0000");
/** Between the sections of one request (protocol version 2). */
export const DELIMITER = Buffer.from("0001");

const MARKS = { 0: "flush", 1: "delimiter", 2: "end" } as const;
const LENGTH_BYTES = 4;

/** A line to send; its newline is added. */
export function packet(line: string): Buffer {
  const text = Buffer.from(`${line}\n`);
  return Buffer.concat([Buffer.from((text.length + LENGTH_BYTES).toString(16).padStart(LENGTH_BYTES, "0")), text]);
}

/** Takes packets off a stream of bytes. Whoever gives the stream bounds it in bytes and time. */
export class PacketReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer = Buffer.alloc(0);

  constructor(chunks: AsyncIterable<Buffer>) {
    this.#chunks = chunks[Symbol.asyncIterator]();
  }

  /** The next packet; null where the stream ended between two. Rejects with `source-answer-invalid`. */
  async next(): Promise<Packet | null> {
    if (!(await this.#have(LENGTH_BYTES))) {
      if (this.#rest.length === 0) return null;
      throw invalidAnswer("it ends within a packet");
    }
    const digits = this.#take(LENGTH_BYTES).toString("latin1");
    if (!/^[0-9a-f]{4}$/i.test(digits)) throw invalidAnswer("what it says is not git's protocol");
    const length = Number.parseInt(digits, 16);
    if (length in MARKS) return { kind: MARKS[length as keyof typeof MARKS] };
    if (length < LENGTH_BYTES || !(await this.#have(length - LENGTH_BYTES)))
      throw invalidAnswer("it ends within a packet");
    return { kind: "data", data: this.#take(length - LENGTH_BYTES) };
  }

  /** The lines up to the next mark or the stream's end, without their newlines. */
  async lines(): Promise<string[]> {
    const lines: string[] = [];
    for (let read = await this.next(); read?.kind === "data"; read = await this.next()) lines.push(lineOf(read.data));
    return lines;
  }

  async #have(bytes: number): Promise<boolean> {
    if (this.#rest.length >= bytes) return true;
    const parts = this.#rest.length === 0 ? [] : [this.#rest];
    let length = this.#rest.length;
    while (length < bytes) {
      const { value, done } = await this.#chunks.next();
      if (done === true) break;
      parts.push(value);
      length += value.length;
    }
    // An answer over HTTP comes in one piece, which may be a large pack: it is not copied.
    this.#rest = parts.length === 1 ? parts[0]! : Buffer.concat(parts);
    return length >= bytes;
  }

  #take(bytes: number): Buffer {
    const taken = this.#rest.subarray(0, bytes);
    this.#rest = this.#rest.subarray(bytes);
    return taken;
  }
}

/** A packet as a line; a server may end it with a newline or not. */
export function lineOf(data: Buffer): string {
  return data.toString("utf8").replace(/\n$/, "");
}
