import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

const shape: Shape = {
  s: "string",
  n: "number",
  b: "boolean",
  maybe: "string?",
  list: "strings",
  texts: "texts",
  object: "object?",
  objects: "objects",
};
const good = { s: "", n: 0, b: false, maybe: null, list: ["a"], texts: { k: "v" }, object: null, objects: [{}] };

test("a record comes back as it was written, whatever more a newer minor version put in", () => {
  const record = { ...good, more: [1] };
  assert.deepEqual(decodeRecord(encodeRecord(record), shape), { kind: "record", record });
});

test("equal records are equal bytes, in whatever order they were made", () => {
  assert.equal(encodeRecord({ a: 1, b: 2 }), encodeRecord({ b: 2, a: 1 }));
});

for (const [field, value] of [
  ["s", 1],
  ["s", null],
  ["n", "1"],
  ["b", 0],
  ["maybe", 1],
  ["maybe", undefined],
  ["list", "a"],
  ["list", [1]],
  ["texts", { k: 1 }],
  ["texts", null],
  ["texts", ["v"]],
  ["object", []],
  ["object", 1],
  ["objects", [null]],
  ["objects", {}],
] as const) {
  test(`${field} cannot be ${JSON.stringify(value)}`, () => {
    const decoded = decodeRecord(encodeRecord({ ...good, [field]: value }), shape);
    assert.ok(decoded.kind === "garbage" && decoded.problem.startsWith(`${field} is not`));
    assert.equal(hasShape({ ...good, [field]: value }, shape), false);
  });
}

for (const text of ["", "{", "null", "[]", "1", '"v"', "{}", '{"v":"1"}', '{"v":null}']) {
  test(`${JSON.stringify(text)} is no record`, () => {
    assert.equal(decodeRecord(text, {}).kind, "garbage");
  });
}

test("a record of a newer fleet is told from a damaged one, though its fields are others", () => {
  assert.deepEqual(decodeRecord('{"v":2}', shape), { kind: "newer", version: 2 });
});
