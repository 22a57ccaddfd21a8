/** Numbers up to here are exact as doubles; larger ones are written by way of BigInt. */
const EXACT_MAX_DIGITS = 15;

/**
 * The wire of protobuf, written field by field into one piece of memory that is known to be large enough: protobufjs copies a listing of
 * 60,000 keys three times on the way.
 */
export class WireWriter {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(size: number) {
    this.#bytes = Buffer.allocUnsafe(size);
  }

  /** All that was written; nothing is written after it. */
  finish(): Buffer {
    return this.#bytes.subarray(0, this.#at);
  }

  boolean(field: number, value: boolean): void {
    this.#bytes[this.#at++] = field << 3;
    this.#bytes[this.#at++] = value ? 1 : 0;
  }

  /** A 64-bit number, as decimal text, with or without a sign. */
  int64(field: number, decimal: string): void {
    this.#bytes[this.#at++] = field << 3;
    if (isSmall(decimal)) {
      this.#varint(Number(decimal));
      return;
    }
    for (let rest = BigInt.asUintN(64, BigInt(decimal)); ; rest >>= 7n) {
      const low = Number(rest & 0x7fn);
      this.#bytes[this.#at++] = rest > 0x7fn ? low | 0x80 : low;
      if (rest <= 0x7fn) return;
    }
  }

  bytes(field: number, value: Uint8Array): void {
    this.begin(field, value.length);
    this.#bytes.set(value, this.#at);
    this.#at += value.length;
  }

  /** A message of that many bytes follows. */
  begin(field: number, length: number): void {
    this.#bytes[this.#at++] = (field << 3) | 2;
    this.#varint(length);
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest % 128) | 0x80;
      rest = Math.floor(rest / 128);
    }
    this.#bytes[this.#at++] = rest;
  }
}

/** What `int64` writes, the tag with it. */
export function sizeOfInt64(decimal: string): number {
  if (isSmall(decimal)) return 1 + sizeOfVarint(Number(decimal));
  let size = 2;
  for (let rest = BigInt.asUintN(64, BigInt(decimal)); rest > 0x7fn; rest >>= 7n) size++;
  return size;
}

/** What `bytes` writes, and `begin` with the message behind it. */
export function sizeOfBytes(length: number): number {
  return 1 + sizeOfVarint(length) + length;
}

function isSmall(decimal: string): boolean {
  return decimal.length <= EXACT_MAX_DIGITS && !decimal.startsWith("-");
}

function sizeOfVarint(value: number): number {
  let size = 1;
  for (let rest = value; rest > 0x7f; rest = Math.floor(rest / 128)) size++;
  return size;
}
