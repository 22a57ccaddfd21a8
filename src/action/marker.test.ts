import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { test } from "node:test";
import { deflateRawSync } from "node:zlib";
import { parseMarker, printMarker, type ReviewMarker, withoutMarker } from "./marker.ts";

const MARKER: ReviewMarker = {
  ...{
    manifest: "clusters/--><b>/fleet.yaml",
    label: "-->\u2028 <!-- & \\",
    contentId: "c",
    clusterId: null,
    commit: "d",
  },
  ...{ truncated: false, closed: false, changes: ["add a", "remove b"] },
};

test("what is printed is read back, and nothing in it ends the comment early", () => {
  const line = printMarker(MARKER);
  assert.equal(line.indexOf("-->"), line.length - 3);
  assert.ok(!line.includes("\n"));
  assert.deepEqual(parseMarker(`${line}\ntext`), MARKER);
  assert.deepEqual(parseMarker(`${line}\r\ntext`), MARKER);
  assert.deepEqual(parseMarker(line), MARKER);
  assert.equal(withoutMarker(`${line}\r\ntext`), "text");
});

test("too many changes to carry are not carried", () => {
  const changes = Array.from({ length: 300 }, () => randomBytes(16).toString("hex"));
  assert.equal(parseMarker(printMarker({ ...MARKER, changes }))?.changes, null);
});

const json = (value: object) => `<!-- fleet:plan ${JSON.stringify(value)} -->`;
const bomb = deflateRawSync(Buffer.alloc(64 << 20)).toString("base64");
const NONE: readonly [string, string][] = [
  ["no marker", "### a plan"],
  ["not on the first line", `\n${printMarker(MARKER)}`],
  ["no JSON", "<!-- fleet:plan {x} -->"],
  ["of a newer fleet", json({ v: 2, manifest: "a", label: "", commit: "c" })],
  ["without a manifest", json({ v: 1, label: "", commit: "c" })],
  ["changes that are no text of ours", json({ v: 1, manifest: "a", label: "", commit: "c", changes: "!!!!" })],
  [
    "changes that unpack to more than there can be",
    json({ v: 1, manifest: "a", label: "", commit: "c", changes: bomb }),
  ],
];
for (const [sentence, body] of NONE) {
  test(`a comment is not ours: ${sentence}`, () => assert.equal(parseMarker(body), null));
}

test("what does not say that it is whole is not", () => {
  const parsed = parseMarker(json({ v: 1, manifest: "a", label: "", commit: "c" }));
  assert.deepEqual([parsed?.truncated, parsed?.contentId, parsed?.changes], [true, null, null]);
});
