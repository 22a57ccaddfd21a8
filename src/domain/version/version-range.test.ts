import assert from "node:assert/strict";
import { test } from "node:test";
import { isInRange, parseVersionRange } from "./version-range.ts";

const held: readonly (readonly [range: string, inside: readonly string[], outside: readonly string[]])[] = [
  [">=1.0", ["1.0.0", "1.0.1", "10.0.0"], ["0.9.9", "0.10.0"]],
  [">=0.1 <2", ["0.1.0", "1.99.0"], ["0.0.9", "2.0.0", "2.0.1"]],
  [">=0.1   <2", ["0.1.0"], ["2.0.0"]],
  ["<2", ["0.0.1", "1.9.9"], ["2.0.0"]],
  [">=1.2.3", ["1.2.3", "1.2.10", "1.10.0"], ["1.2.2"]],
  [">=1.0", ["1.0.0-rc.1", "1.0.0+build.5"], ["0.9.0-rc.1"]],
];

for (const [text, inside, outside] of held) {
  test(`${text} has ${inside.join(", ")} and not ${outside.join(", ")}`, () => {
    const range = parseVersionRange(text)!;
    for (const version of inside) assert.equal(isInRange(version, range), true, version);
    for (const version of outside) assert.equal(isInRange(version, range), false, version);
  });
}

test("what is no range is none", () => {
  const malformed = [
    "",
    "1.0",
    "=1.0",
    ">1.0",
    "<=2",
    ">= 1",
    ">=1.0.0.0",
    ">=01",
    ">=1.",
    ">=1<2",
    "<2 >=1",
    ">=1 >=2",
    "<1 <2",
  ];
  const impossible = [">=2 <1", ">=1.0 <1"];
  for (const text of [...malformed, ...impossible, ">=123456"]) assert.equal(parseVersionRange(text), null, text);
});
