import assert from "node:assert/strict";
import { test } from "node:test";
import { sha256 } from "../../adapters/sha256.ts";
import { hashOfToken, parseSiteToken, printSiteToken, TOKEN_TEXT_MAX } from "./site-token.ts";

const TOKEN = { clusterId: "c".repeat(32), expiresMs: 1_795_000_000_000, secret: "5".repeat(32) };
const TEXT = printSiteToken(TOKEN);

test("a token is read as it was printed, with white space of a file around it", () => {
  assert.deepEqual(parseSiteToken(TEXT), TOKEN);
  assert.deepEqual(parseSiteToken(`${TEXT}\n`), TOKEN);
  assert.match(TEXT, /^[0-9a-z-]+$/, "one word in any shell");
});

const others: readonly (readonly [what: string, text: string])[] = [
  ["nothing", ""],
  ["a word", "hello"],
  ["a secret alone", TOKEN.secret],
  ["one without its end", TEXT.slice(0, -1)],
  ["one with something behind it", `${TEXT}0`],
  ["one in capitals", TEXT.toUpperCase()],
  ["a long text", `${TEXT}${" ".repeat(TOKEN_TEXT_MAX)}`],
];

for (const [what, text] of others) test(`${what} is no token`, () => assert.equal(parseSiteToken(text), null));

test("whoever changes any part of a token has another one", () => {
  const hashes = [
    TOKEN,
    { ...TOKEN, clusterId: "d".repeat(32) },
    { ...TOKEN, expiresMs: TOKEN.expiresMs + 1000 },
    { ...TOKEN, secret: "6".repeat(32) },
  ].map((token) => hashOfToken(token, sha256));
  assert.equal(new Set(hashes).size, 4);
  assert.ok(!hashes[0]!.includes(TOKEN.secret));
});
