/**
 * The wire of protobuf, read field by field: what a listing of 60,000 keys is made of. protobufjs makes an object of its own of each message
 * and then ours of that; reading ours at once takes a fifth of the time.
 */
export class WireReader {
  readonly #bytes: Buffer;
  #at: number;
  readonly #end: number;
  #wireType = 0;

  constructor(bytes: Buffer, at = 0, end = bytes.length) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  /** The number of the next field, or 0 where there is none. Whoever does not know it calls `skip`. */
  next(): number {
    if (this.#at >= this.#end) return 0;
    const tag = this.#small();
    this.#wireType = tag & 7;
    return tag >>> 3;
  }

  /** Shares the memory. */
  bytes(): Buffer {
    const [from, to] = this.#span();
    return this.#bytes.subarray(from, to);
  }

  /** A reader of a message that is this field. */
  message(): WireReader {
    const [from, to] = this.#span();
    return new WireReader(this.#bytes, from, to);
  }

  boolean(): boolean {
    this.#expect(0);
    return this.#decimal(false) !== "0";
  }

  /** Decimal text: there are ids beyond 2^53. */
  int64(): string {
    this.#expect(0);
    return this.#decimal(true);
  }

  uint64(): string {
    this.#expect(0);
    return this.#decimal(false);
  }

  skip(): void {
    if (this.#wireType === 0) this.#decimal(false);
    else if (this.#wireType === 1) this.#forward(8);
    else if (this.#wireType === 2) this.#span();
    else if (this.#wireType === 5) this.#forward(4);
    else throw new RangeError(`a field of wire type ${this.#wireType}`);
  }

  #expect(wireType: number): void {
    if (this.#wireType !== wireType) throw new RangeError(`a field of wire type ${this.#wireType}, not ${wireType}`);
  }

  #span(): [from: number, to: number] {
    this.#expect(2);
    const length = this.#small();
    const from = this.#at;
    this.#forward(length);
    return [from, this.#at];
  }

  #forward(bytes: number): void {
    this.#at += bytes;
    if (this.#at > this.#end) throw new RangeError("the message is cut");
  }

  #byte(): number {
    if (this.#at >= this.#end) throw new RangeError("the message is cut");
    return this.#bytes[this.#at++]!;
  }

  /** Tags and lengths: 32 bits. */
  #small(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return value;
    }
    throw new RangeError("a number longer than its field");
  }

  #decimal(signed: boolean): string {
    let value = 0;
    const start = this.#at;
    for (let shift = 0; shift < 49; shift += 7) {
      const byte = this.#byte();
      value += (byte & 0x7f) * 2 ** shift;
      if (byte < 0x80) return String(value);
    }
    this.#at = start;
    let big = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      big |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return String(signed ? BigInt.asIntN(64, big) : BigInt.asUintN(64, big));
    }
    throw new RangeError("a number longer than its field");
  }
}
