import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalJson, type Json } from "./canonical-json.ts";

const CASES: readonly [string, Json, string][] = [
  [
    "members are sorted by code unit, at every depth",
    { b: { z: 1, a: 2 }, "10": 3, "9": 4 },
    '{"10":3,"9":4,"b":{"a":2,"z":1}}',
  ],
  ["lists keep their order", [3, 1, 2], "[3,1,2]"],
  [
    "members inside lists are sorted by code unit, whole numbers too",
    [{ b: [{ "10": 3, "9": 4 }], a: { d: undefined, c: 1 } }],
    '[{"a":{"c":1},"b":[{"10":3,"9":4}]}]',
  ],
  [
    "a member may have any name",
    [JSON.parse('{"a":1,"__proto__":{"c":2,"b":1}}')],
    '[{"__proto__":{"b":1,"c":2},"a":1}]',
  ],
  ["members that are undefined are left out", { a: undefined, b: null }, '{"b":null}'],
  ["numbers have ECMAScript's shortest form", [1e21, 0.1, -0, 1.0], "[1e+21,0.1,0,1]"],
  ["texts are escaped as JSON needs and no further", 'é\n\u2028"', '"é\\n\u2028\\""'],
  ["capitals sort before small letters, whatever the locale", { a: 1, B: 2, ä: 3 }, '{"B":2,"a":1,"ä":3}'],
];

for (const [sentence, value, expected] of CASES) {
  test(sentence, () => {
    assert.equal(canonicalJson(value), expected);
    assert.deepEqual(JSON.parse(expected), JSON.parse(JSON.stringify(value)));
  });
}
