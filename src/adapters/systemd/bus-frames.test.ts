import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { CALL, encodeCall, FrameReader, type IncomingMessage, RETURN } from "./bus-frames.ts";

/** Lays out values as the specification says, in either byte order. */
class Layout {
  readonly bytes: number[] = [];
  readonly #isLittle: boolean;

  constructor(isLittle: boolean) {
    this.#isLittle = isLittle;
  }

  align(boundary: number): this {
    while (this.bytes.length % boundary !== 0) this.bytes.push(0);
    return this;
  }

  number(value: number | bigint, size: 1 | 2 | 4 | 8): this {
    this.align(size);
    const order = Array.from({ length: size }, (_, at) => Number((BigInt(value) >> BigInt(8 * at)) & 0xffn));
    this.bytes.push(...(this.#isLittle ? order : order.reverse()));
    return this;
  }

  text(text: string): this {
    const encoded = Buffer.from(text);
    this.number(encoded.length, 4).bytes.push(...encoded, 0);
    return this;
  }

  signature(text: string): this {
    this.bytes.push(text.length, ...Buffer.from(text), 0);
    return this;
  }

  double(value: number): this {
    const bytes = Buffer.alloc(8);
    if (this.#isLittle) bytes.writeDoubleLE(value);
    else bytes.writeDoubleBE(value);
    this.align(8).bytes.push(...bytes);
    return this;
  }
}

interface Body {
  readonly signature: string;
  readonly lay: (layout: Layout) => Layout;
}

const answer = ({ signature, lay }: Body, isLittle = true): Buffer => {
  const body = lay(new Layout(isLittle)).bytes;
  const fields = new Layout(isLittle);
  fields.align(8).number(5, 1).signature("u").number(7, 4);
  fields.align(8).number(7, 1).signature("s").text(":1.3");
  fields.align(8).number(8, 1).signature("g").signature(signature);
  const head = new Layout(isLittle);
  head.bytes.push(isLittle ? 0x6c : 0x42, RETURN, 0, 1);
  head
    .number(body.length, 4)
    .number(9, 4)
    .number(fields.bytes.length, 4)
    .bytes.push(...fields.bytes);
  return Buffer.from([...head.align(8).bytes, ...body]);
};

const only = (messages: readonly IncomingMessage[]): IncomingMessage => {
  assert.equal(messages.length, 1);
  return messages[0]!;
};

const CASES: readonly (Body & { readonly says: string; readonly value: readonly unknown[] })[] = [
  { says: "a text that is not ASCII", signature: "s", lay: (to) => to.text("böse.service"), value: ["böse.service"] },
  {
    says: "numbers of every size",
    signature: "ybnquixtd",
    lay: (to) =>
      to
        .number(255, 1)
        .number(1, 4)
        .number(-2n, 2)
        .number(65_535, 2)
        .number(4_000_000_000, 4)
        .number(-3n, 4)
        .number(-4n, 8)
        .number(0xffff_ffff_ffff_ffffn, 8)
        .double(1.5),
    value: [255, true, -2, 65_535, 4_000_000_000, -3, -4n, 0xffff_ffff_ffff_ffffn, 1.5],
  },
  {
    says: "a variant, which is the value in it",
    signature: "v",
    lay: (to) => to.signature("t").number(42, 8),
    value: [42n],
  },
  { says: "a list of nothing", signature: "a(so)s", lay: (to) => to.number(0, 4).align(8).text("x"), value: [[], "x"] },
  {
    says: "a list of structures, each where eight bytes begin",
    signature: "a(sb)",
    lay: (to) => to.number(20, 4).align(8).text("ab").number(1, 4).align(8).text("c").number(0, 4),
    value: [
      [
        ["ab", true],
        ["c", false],
      ],
    ],
  },
];

describe("messages of the bus", () => {
  for (const { says, value, ...body } of CASES) {
    test(`are read: ${says}`, () => {
      for (const isLittle of [true, false]) {
        const message = only(new FrameReader().push(answer(body, isLittle)));
        assert.deepEqual([message.type, message.replySerial, message.sender], [RETURN, 7, ":1.3"]);
        assert.deepEqual(message.body(), value);
        assert.deepEqual(message.body(), value, "as often as one likes");
      }
    });
  }

  test("bytes are a value of their own", () => {
    const body: Body = { signature: "ay", lay: (to) => to.number(3, 4).number(1, 1).number(2, 1).number(3, 1) };
    assert.deepEqual(only(new FrameReader().push(answer(body))).body(), [Buffer.from([1, 2, 3])]);
  });

  test("are found whole, wherever the socket cuts them", () => {
    const bodies = ["one", "another", ""].map((text): Body => ({ signature: "s", lay: (to) => to.text(text) }));
    const stream = Buffer.concat(bodies.map((body) => answer(body)));
    for (let size = 1; size <= stream.length; size++) {
      const frames = new FrameReader();
      const read: unknown[] = [];
      for (let at = 0; at < stream.length; at += size) {
        for (const message of frames.push(stream.subarray(at, at + size))) read.push(...message.body());
      }
      assert.deepEqual(read, ["one", "another", ""], `in pieces of ${size}`);
    }
  });

  const malformed: readonly { readonly says: string; readonly bytes: () => Buffer }[] = [
    { says: "another byte order", bytes: () => Buffer.concat([Buffer.from([1]), Buffer.alloc(15)]) },
    {
      says: "a message of more than any may have",
      bytes: () => Buffer.from([0x6c, 2, 0, 1, 0, 0, 0, 0x7f, 1, 0, 0, 0, 0, 0, 0, 1]),
    },
    {
      says: "a text that ends behind its message",
      bytes: () => answer({ signature: "s", lay: (to) => to.number(99, 4) }),
    },
    {
      says: "a list that ends behind its message",
      bytes: () => answer({ signature: "as", lay: (to) => to.number(99, 4) }),
    },
    {
      says: "a list of what takes no room",
      bytes: () => answer({ signature: "a()", lay: (to) => to.number(8, 4).number(0, 8) }),
    },
    { says: "a type there is not", bytes: () => answer({ signature: "z", lay: (to) => to.number(1, 4) }) },
    {
      says: "a structure without an end",
      bytes: () => answer({ signature: "(s", lay: (to) => to.text("x").number(0, 8) }),
    },
  ];
  for (const { says, bytes } of malformed) {
    test(`are refused: ${says}`, () => {
      const read = () => new FrameReader().push(bytes()).map((message) => message.body());
      assert.throws(read, { code: "bus-message-malformed" });
    });
  }
});

describe("a call", () => {
  const call = {
    destination: "org.freedesktop.systemd1",
    path: "/org/freedesktop/systemd1",
    interface: "org.freedesktop.systemd1.Manager",
    member: "ListUnitsByPatterns",
  };

  test("has its arguments, however long", () => {
    const names = Array.from({ length: 100 }, (_, index) => `unit-${index}-ü.service`);
    const bytes = encodeCall(3, { ...call, signature: "asass", body: [[], names, "last"] });
    const message = only(new FrameReader().push(bytes));
    assert.deepEqual([message.type, message.member], [CALL, call.member]);
    assert.deepEqual(message.body(), [[], names, "last"]);
  });

  test("without arguments ends behind its fields, at eight bytes", () => {
    const bytes = encodeCall(3, call);
    assert.equal(bytes.length % 8, 0);
    assert.equal(bytes.readUInt32LE(4), 0);
    assert.deepEqual(only(new FrameReader().push(bytes)).body(), []);
  });
});
