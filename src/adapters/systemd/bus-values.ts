import { OperationError } from "../../ports/operation-error.ts";

/** Reads values of a signature one after the other. */
export class ValueReader {
  at = 0;
  readonly #bytes: Buffer;
  readonly #isLittle: boolean;

  constructor(bytes: Buffer, isLittle: boolean) {
    this.#bytes = bytes;
    this.#isLittle = isLittle;
  }

  values(signature: string): unknown[] {
    const values: unknown[] = [];
    for (let type = 0; type < signature.length; type = typeEnd(signature, type))
      values.push(this.#value(signature, type));
    return values;
  }

  byte(): number {
    return this.#bytes[this.#forth(1)]!;
  }

  word(): number {
    this.align(4);
    const at = this.#forth(4);
    return this.#isLittle ? this.#bytes.readUInt32LE(at) : this.#bytes.readUInt32BE(at);
  }

  align(boundary: number): void {
    this.at = Math.ceil(this.at / boundary) * boundary;
  }

  variant(): unknown {
    return this.#value(this.#text(this.byte()), 0);
  }

  #value(signature: string, type: number): unknown {
    switch (signature[type]) {
      case "s":
      case "o":
        return this.#text(this.word());
      case "u":
      case "h":
        return this.word();
      case "b":
        return this.word() !== 0;
      case "y":
        return this.byte();
      case "g":
        return this.#text(this.byte());
      case "v":
        return this.variant();
      case "t":
        return this.#long(false);
      case "x":
        return this.#long(true);
      case "i":
        return this.word() | 0;
      case "n":
      case "q":
        return this.#short(signature[type] === "n");
      case "d":
        return this.#double();
      case "a":
        return this.#list(signature, type + 1);
      case "(":
      case "{":
        return this.#struct(signature, type);
      default:
        throw malformed(`a value of type ${JSON.stringify(signature[type] ?? "")}`);
    }
  }

  #struct(signature: string, type: number): unknown[] {
    this.align(8);
    const values: unknown[] = [];
    const close = signature[type] === "(" ? ")" : "}";
    for (let member = type + 1; signature[member] !== close; member = typeEnd(signature, member)) {
      values.push(this.#value(signature, member));
    }
    return values;
  }

  #list(signature: string, type: number): unknown {
    const bytes = this.word();
    if ("xtd({".includes(signature[type] ?? "")) this.align(8);
    const end = this.at + bytes;
    if (end > this.#bytes.length) throw malformed("a list beyond its message");
    if (signature[type] === "y") return this.#bytes.subarray(this.#forth(bytes), end);
    const values: unknown[] = [];
    while (this.at < end) {
      const before = this.at;
      values.push(this.#value(signature, type));
      if (this.at === before) throw malformed("a list of nothing");
    }
    return values;
  }

  #text(bytes: number): string {
    const start = this.#forth(bytes + 1);
    return bytes === 0 ? "" : this.#bytes.toString("utf8", start, start + bytes);
  }

  #short(isSigned: boolean): number {
    this.align(2);
    const [first, second] = [this.byte(), this.byte()];
    const value = this.#isLittle ? first | (second << 8) : (first << 8) | second;
    return isSigned ? (value << 16) >> 16 : value;
  }

  #long(isSigned: boolean): bigint {
    this.align(8);
    const at = this.#forth(8);
    const value = this.#isLittle ? this.#bytes.readBigUInt64LE(at) : this.#bytes.readBigUInt64BE(at);
    return isSigned ? BigInt.asIntN(64, value) : value;
  }

  #double(): number {
    this.align(8);
    const at = this.#forth(8);
    return this.#isLittle ? this.#bytes.readDoubleLE(at) : this.#bytes.readDoubleBE(at);
  }

  /** Where the next so many bytes begin. */
  #forth(bytes: number): number {
    const start = this.at;
    this.at += bytes;
    if (this.at > this.#bytes.length) throw malformed("a value beyond its message");
    return start;
  }
}

/** Where the type after this one begins. */
export function typeEnd(signature: string, type: number): number {
  const first = signature[type];
  if (first === "a") return typeEnd(signature, type + 1);
  if (first !== "(" && first !== "{") return type + 1;
  const close = first === "(" ? ")" : "}";
  let member = type + 1;
  while (signature[member] !== close) {
    if (member >= signature.length) throw malformed(`the signature ${JSON.stringify(signature)}`);
    member = typeEnd(signature, member);
  }
  return member + 1;
}

export function malformed(what: string): OperationError {
  return new OperationError("bus-message-malformed", `the bus sent ${what}`);
}
