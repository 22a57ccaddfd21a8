import assert from "node:assert/strict";
import { test } from "node:test";
import { splitFleetValue } from "./split-fleet-value.ts";

const cases: [string, string, readonly string[] | null][] = [
  ["an unquoted line is one value", "a=b c=d", ["a=b c=d"]],
  ["one quoted value", '"a=b"', ["a=b"]],
  ["several", '"a=b" "c=d"', ["a=b", "c=d"]],
  ["a bare word between", '"a=b" c=d  "e=f"', ["a=b", "c=d", "e=f"]],
  ["blanks inside quotes stay", '"a b" "c"', ["a b", "c"]],
  ["quotes join what they touch", '"a"b"c"', ["abc"]],
  ["an empty pair is an empty value", '"" "a"', ["", "a"]],
  ["a quote in front only is text", '"a=b', ['"a=b']],
  ["a quote inside only is text", 'a="b c"', ['a="b c"']],
  ["an odd number of quotes", '"a" "b" c"', null],
  ["a lone quote", '"', null],
];
for (const [sentence, line, values] of cases) {
  test(sentence, () => assert.deepEqual(splitFleetValue(line), values));
}
