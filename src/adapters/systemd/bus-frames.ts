import { writeArguments } from "./bus-arguments.ts";
import { malformed, ValueReader } from "./bus-values.ts";

/** The kinds of messages, as the D-Bus specification numbers them. */
export const CALL = 1;
export const RETURN = 2;
export const ERROR = 3;
export const SIGNAL = 4;

/** The specification's own limit on a message; systemd's list of 20,000 units is a fiftieth of it. */
const MESSAGE_BYTES_MAX = 128 * 1024 * 1024;
/** Before the fields: byte order, type, flags, version, length of the body, serial, length of the fields. */
const FIXED_BYTES = 16;
const LITTLE_ENDIAN = 0x6c;
const BIG_ENDIAN = 0x42;

const PATH = 1;
const INTERFACE = 2;
const MEMBER = 3;
const ERROR_NAME = 4;
const REPLY_SERIAL = 5;
const DESTINATION = 6;
const SENDER = 7;
const SIGNATURE = 8;

/** What a caller names; arguments are as `writeArguments` takes them. */
export interface OutgoingCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: readonly unknown[];
}

/** What came. Its body is read only where somebody wants it: of most signals nobody does. */
export interface IncomingMessage {
  readonly type: number;
  /** Of the call it answers; 0 where it answers none. */
  readonly replySerial: number;
  readonly errorName: string;
  readonly member: string;
  readonly sender: string;
  /** Of the object it is about; empty for an answer. */
  readonly path: string;
  /** 64 bits are bigints, a variant is the value in it. Throws OperationError `bus-message-malformed`. */
  body(): readonly unknown[];
}

/**
 * A call as bytes (D-Bus specification, message protocol). dbus-next builds trees of each message and copies it four times: that was a
 * third of what an agent spent on starting a unit.
 */
export function encodeCall(serial: number, call: OutgoingCall): Buffer {
  const { signature = "", body = [] } = call;
  const writer = new FrameWriter();
  writer.byte(LITTLE_ENDIAN).byte(CALL).byte(0).byte(1).word(0).word(serial).word(0);
  for (const [code, type, text] of [
    [PATH, "o", call.path],
    [INTERFACE, "s", call.interface],
    [MEMBER, "s", call.member],
    [DESTINATION, "s", call.destination],
  ] as const) {
    writer.align(8).byte(code).signature(type).string(text);
  }
  if (signature !== "") writer.align(8).byte(SIGNATURE).signature("g").signature(signature);
  const fieldsEnd = writer.length;
  writer.align(8);
  const bodyStart = writer.length;
  writeArguments(writer, signature, body);
  return writer.finish(writer.length - bodyStart, fieldsEnd - FIXED_BYTES);
}

/** Bytes of a message, in D-Bus's little-endian marshalling. */
export class FrameWriter {
  #bytes = Buffer.allocUnsafe(512);
  length = 0;

  byte(value: number): this {
    this.#reserve(1);
    this.#bytes[this.length++] = value;
    return this;
  }

  word(value: number): this {
    this.align(4).#reserve(4);
    this.length = this.#bytes.writeUInt32LE(value, this.length);
    return this;
  }

  string(text: string): this {
    const bytes = Buffer.byteLength(text);
    this.word(bytes).#text(text, bytes);
    return this;
  }

  signature(text: string): this {
    this.byte(text.length).#text(text, text.length);
    return this;
  }

  long(value: bigint): this {
    this.align(8).#reserve(8);
    this.length = this.#bytes.writeBigUInt64LE(value, this.length);
    return this;
  }

  /** Its length in bytes, which does not count what aligns its first element, then what `write` writes. */
  list(alignment: number, write: () => void): this {
    this.word(0);
    const lengthAt = this.length - 4;
    this.align(alignment);
    const start = this.length;
    write();
    this.#bytes.writeUInt32LE(this.length - start, lengthAt);
    return this;
  }

  align(boundary: number): this {
    while (this.length % boundary !== 0) this.byte(0);
    return this;
  }

  finish(bodyBytes: number, fieldBytes: number): Buffer {
    this.#bytes.writeUInt32LE(bodyBytes, 4);
    this.#bytes.writeUInt32LE(fieldBytes, 12);
    return this.#bytes.subarray(0, this.length);
  }

  #text(text: string, bytes: number): void {
    this.#reserve(bytes + 1);
    this.#bytes.write(text, this.length);
    this.length += bytes;
    this.#bytes[this.length++] = 0;
  }

  #reserve(bytes: number): void {
    if (this.length + bytes <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafe(Math.max(this.#bytes.length * 2, this.length + bytes));
    this.#bytes.copy(larger, 0, 0, this.length);
    this.#bytes = larger;
  }
}

/** Cuts what a socket brings into messages. */
export class FrameReader {
  #chunks: Buffer[] = [];
  #length = 0;
  #needed = FIXED_BYTES;

  /** Those that are whole by now, in order. Throws OperationError `bus-message-malformed`. */
  push(chunk: Buffer): readonly IncomingMessage[] {
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length < this.#needed) return [];
    // A long message comes in many pieces, which are put together once and not with each piece.
    const bytes = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#length);
    const messages: IncomingMessage[] = [];
    let at = 0;
    for (;;) {
      this.#needed = bytes.length - at < FIXED_BYTES ? FIXED_BYTES : messageBytes(bytes, at);
      if (bytes.length - at < this.#needed) break;
      messages.push(new Frame(bytes.subarray(at, at + this.#needed)));
      at += this.#needed;
    }
    const rest = bytes.subarray(at);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    return messages;
  }
}

function messageBytes(bytes: Buffer, at: number): number {
  const order = bytes[at];
  if (order !== LITTLE_ENDIAN && order !== BIG_ENDIAN) throw malformed(`a byte order of ${order}`);
  const word = (offset: number) =>
    order === LITTLE_ENDIAN ? bytes.readUInt32LE(at + offset) : bytes.readUInt32BE(at + offset);
  const total = FIXED_BYTES + Math.ceil(word(12) / 8) * 8 + word(4);
  if (total > MESSAGE_BYTES_MAX) throw malformed(`a message of ${total} bytes`);
  return total;
}

class Frame implements IncomingMessage {
  readonly type: number;
  replySerial = 0;
  errorName = "";
  member = "";
  sender = "";
  path = "";
  #signature = "";
  readonly #reader: ValueReader;
  readonly #bodyAt: number;

  constructor(bytes: Buffer) {
    this.type = bytes[1]!;
    const reader = new ValueReader(bytes, bytes[0] === LITTLE_ENDIAN);
    this.#reader = reader;
    reader.at = 12;
    const end = reader.word() + FIXED_BYTES;
    while (reader.at < end) {
      reader.align(8);
      const code = reader.byte();
      const value = reader.variant();
      if (code === REPLY_SERIAL) this.replySerial = Number(value);
      else if (code === ERROR_NAME) this.errorName = String(value);
      else if (code === PATH) this.path = String(value);
      else if (code === MEMBER) this.member = String(value);
      else if (code === SENDER) this.sender = String(value);
      else if (code === SIGNATURE) this.#signature = String(value);
    }
    reader.align(8);
    this.#bodyAt = reader.at;
  }

  body(): readonly unknown[] {
    this.#reader.at = this.#bodyAt;
    return this.#reader.values(this.#signature);
  }
}
