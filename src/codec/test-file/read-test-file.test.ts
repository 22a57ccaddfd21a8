import assert from "node:assert/strict";
import { test } from "node:test";
import { readTestFile } from "./read-test-file.ts";

const CASES: readonly (readonly [says: string, text: string, findings: readonly string[]])[] = [
  ["nothing wrong", "machines: 3\nexpect:\n  - apart: web@*.service\n", []],
  ["no expectations", "machines: 3\n", ["1:1 no expect, expect: a list of expectations"]],
  ["an unknown key", "expect:\n  - aparts: a.service\n", ["2:5 the unknown key aparts, did you mean apart?"]],
  [
    "two subjects",
    "expect:\n  - apart: a.service\n    placed: a.service\n",
    ["2:5 expect: a mapping, exactly one of placed, apart, together, survives, unplaceable, only"],
  ],
  [
    "no subject",
    "expect:\n  - on: nas\n",
    ["2:5 expect: a mapping, exactly one of placed, apart, together, survives, unplaceable, only"],
  ],
  [
    "a detail of another subject",
    "expect:\n  - { apart: a.service, on: nas }\n",
    ["2:5 expect: a mapping, apart without on"],
  ],
  ["only without where", "expect:\n  - only: a.service\n", ["2:5 expect: a mapping, only with on: which machines"]],
  [
    "a malformed pattern",
    'expect:\n  - apart: "web@[.service"\n',
    ['2:12 apart: "web@[.service", a unit\'s name or a pattern such as web@*.service'],
  ],
  [
    "a malformed selector",
    "expect:\n  - { placed: a.service, on: a=b=c }\n",
    ['2:30 on: "a=b=c", a machine\'s name, key=value, key!=value, key in (a, b) or key notin (a, b)'],
  ],
  [
    "a number that is none",
    "expect:\n  - { survives: m1, atLeast: { web@.service: some } }\n",
    ['2:46 web@.service: "some", a whole number from 1 to 1000'],
  ],
  [
    "an amount that is none",
    "machines: { m1: { cpu: many, memory: 1GB } }\nexpect: [{ apart: a.service }]\n",
    [
      '1:24 cpu: "many", cores, such as 2, 0.5 or 250m',
      '1:38 memory: "1GB", a size to the base 1024, such as 512M or 1.5G, of at most 64T',
    ],
  ],
  [
    "no YAML",
    "expect: [\n",
    ["2:1 not YAML: Flow sequence in block collection must be sufficiently indented and end with a ]"],
  ],
];

for (const [says, text, findings] of CASES) {
  test(says, () => {
    const { file, diagnostics } = readTestFile("tests/x.yaml", text);
    const shown = diagnostics.map(({ at, saw, expected, next }) => {
      const hint = next?.startsWith("did you mean") === true ? next : expected;
      return `${at?.line}:${at?.column} ${saw}${hint === undefined ? "" : `, ${hint}`}`;
    });
    assert.deepEqual(shown, findings);
    assert.equal(file === null, findings.length > 0);
    assert.ok(diagnostics.every(({ code }) => code === "test-file"));
  });
}

test("what a machine has, and of what is not said there is enough", () => {
  const text =
    "machines: { m1: { cpu: 0.5, memory: 1G }, m2: { memory: 512M }, m3: {} }\nexpect: [{ apart: a.service }]\n";
  assert.deepEqual(
    readTestFile("tests/x.yaml", text).file?.machines?.map(({ capacity }) => capacity),
    [{ cpuMilli: 500, memoryBytes: 2 ** 30 }, { cpuMilli: Number.MAX_SAFE_INTEGER, memoryBytes: 2 ** 29 }, undefined],
  );
});
