import assert from "node:assert/strict";
import { test } from "node:test";
import { parseNodeKey } from "./node-key.ts";

const ZERO = `ed25519:${"A".repeat(43)}`;

const cases: readonly (readonly [what: string, text: string, good: boolean])[] = [
  ["32 zero bytes", ZERO, true],
  ["32 bytes of ones", `ed25519:${"_".repeat(42)}8`, true],
  ["one character too few", ZERO.slice(0, -1), false],
  ["one too many", `${ZERO}A`, false],
  ["padding", `${ZERO}=`, false],
  ["plain base64", `ed25519:${"+".repeat(42)}A`, false],
  ["bits beyond the 256th", `ed25519:${"A".repeat(42)}B`, false],
  ["another algorithm", ZERO.replace("ed25519", "rsa"), false],
  ["capitals in the algorithm", ZERO.replace("ed25519", "Ed25519"), false],
  ["no algorithm", "A".repeat(43), false],
  ["a line end", `${ZERO}\n`, false],
  ["blanks around", ` ${ZERO}`, false],
  ["nothing", "", false],
];

for (const [what, text, good] of cases) {
  test(`${what}: ${good ? "a key" : "no key"}`, () => {
    assert.equal(parseNodeKey(text), good ? text : null);
  });
}

test("every last byte of a key has one spelling, and its neighbours are refused", () => {
  for (let last = 0; last < 256; last++) {
    const bytes = Buffer.alloc(32, 7);
    bytes[31] = last;
    const text = `ed25519:${bytes.toString("base64url")}`;
    assert.equal(parseNodeKey(text), text);
    const spellings = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"].filter((letter) =>
      Buffer.from(text.slice(8, -1) + letter, "base64url").equals(bytes),
    );
    assert.equal(spellings.length, 4, "base64 itself takes four");
    assert.deepEqual(
      spellings.filter((letter) => parseNodeKey(text.slice(0, -1) + letter) !== null),
      [text.slice(-1)],
    );
  }
});
