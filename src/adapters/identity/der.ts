/** The few of DER's values (X.690) that one shape of certificate needs, each as its bytes. */
export const der = {
  sequence: (...parts: readonly Buffer[]) => value(0x30, ...parts),
  set: (...parts: readonly Buffer[]) => value(0x31, ...parts),
  boolean: (truth: boolean) => value(0x01, Buffer.from([truth ? 0xff : 0])),
  /** Of a number's bytes, highest first, the first not above 0x7f and not zero: then it is positive and as short as can be. */
  integer: (bytes: Buffer) => value(0x02, bytes),
  octets: (content: Buffer) => value(0x04, content),
  /** `unused`: how many of the last byte's bits do not count, 0 to 7. */
  bits: (content: Buffer, unused = 0) => value(0x03, Buffer.from([unused]), content),
  text: (content: string) => value(0x0c, Buffer.from(content, "utf8")),
  /** `arcs`: a dotted object identifier. */
  object: (arcs: string) => value(0x06, objectIdentifier(arcs)),
  time,
  /** A context's own tag around other values. */
  explicit: (tag: number, ...parts: readonly Buffer[]) => value(0xa0 | tag, ...parts),
  /** A context's own tag in place of a string's. */
  implicit: (tag: number, content: string) => value(0x80 | tag, Buffer.from(content, "ascii")),
};

function value(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), length(content.length), content]);
}

function length(count: number): Buffer {
  if (count < 0x80) return Buffer.from([count]);
  const bytes: number[] = [];
  for (let rest = count; rest > 0; rest = Math.floor(rest / 256)) bytes.unshift(rest % 256);
  return Buffer.from([0x80 | bytes.length, ...bytes]);
}

function objectIdentifier(arcs: string): Buffer {
  const [first = 0, second = 0, ...others] = arcs.split(".").map(Number);
  return Buffer.from([first * 40 + second, ...others.flatMap(base128)]);
}

/** Seven bits a byte, highest first; all but the last say that more follow. */
function base128(arc: number): readonly number[] {
  const bytes = [arc & 0x7f];
  for (let rest = arc >> 7; rest > 0; rest >>= 7) bytes.unshift((rest & 0x7f) | 0x80);
  return bytes;
}

/** Whole seconds: years to 2049 have two digits and others four (RFC 5280, 4.1.2.5). */
function time(epochMs: number): Buffer {
  const digits = `${new Date(epochMs).toISOString().slice(0, 19).replace(/[-T:]/g, "")}Z`;
  const year = Number(digits.slice(0, 4));
  return year >= 1950 && year < 2050
    ? value(0x17, Buffer.from(digits.slice(2), "ascii"))
    : value(0x18, Buffer.from(digits, "ascii"));
}
