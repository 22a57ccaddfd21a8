/** Reads RFC 4251's encoding: what does not fit throws `WireError`, which readers of whole messages catch. */
export class WireReader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  byte(): number {
    return this.take(1)[0]!;
  }

  uint32(): number {
    return this.take(4).readUInt32BE(0);
  }

  string(): Buffer {
    return this.take(this.uint32());
  }

  text(): string {
    return this.string().toString("latin1");
  }

  /** A positive number, big-endian, without leading zeros. */
  positive(): Buffer {
    const bytes = this.string();
    const [first, second] = bytes;
    if (first === undefined || first >= 0x80) throw new WireError("a number that is not positive");
    if (first !== 0) return bytes;
    if (second === undefined || second < 0x80) throw new WireError("a number with a zero too many");
    return bytes.subarray(1);
  }

  take(length: number): Buffer {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw new WireError("bytes are missing");
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  end(): void {
    if (this.#at !== this.#bytes.length) throw new WireError("bytes are left over");
  }
}

export class WireError extends Error {}

/** `string` of RFC 4251. */
export function wireString(bytes: Uint8Array | string): Buffer {
  const content = typeof bytes === "string" ? Buffer.from(bytes, "latin1") : bytes;
  const length = Buffer.alloc(4);
  length.writeUInt32BE(content.length);
  return Buffer.concat([length, content]);
}

/** Base64 as its encoder writes it, and no other spelling of the same bytes; null where it is not. */
export function canonicalBase64(text: string): Buffer | null {
  const bytes = Buffer.from(text, "base64");
  return bytes.toString("base64") === text ? bytes : null;
}
