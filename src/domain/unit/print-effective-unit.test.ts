import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";
import { printEffectiveUnit } from "./print-effective-unit.ts";

const CASES: readonly [sentence: string, files: readonly string[], lines: readonly string[]][] = [
  [
    "sections once, in the order they first stand in, assignments in the order they apply",
    ["[Service]\nB=1\n[Unit]\nA=1\n", "[Unit]\nC=1\n[Service]\nD=1\n"],
    ["[Service]", "B=1", "D=1", "", "[Unit]", "A=1", "C=1"],
  ],
  ["comments and empty lines are nobody's effect", ["# why\n[Unit]\n; because\n\nA=1\n"], ["[Unit]", "A=1"]],
  [
    "an empty assignment takes back what came before it, and goes with it",
    ["[Service]\nExecStart=/bin/a\n", "[Service]\nExecStart=\nExecStart=/bin/b\n"],
    ["[Service]", "ExecStart=/bin/b"],
  ],
  [
    "the empty one stays where it is the last word: of some directives it means something",
    ["[Service]\nCapabilityBoundingSet=CAP_KILL\n", "[Service]\nCapabilityBoundingSet=\n"],
    ["[Service]", "CapabilityBoundingSet="],
  ],
  [
    "of what has one value only the last counts",
    [
      "[Service]\nRestart=no\nPrivateTmp=no\nEnvironment=A=1\n",
      "[Service]\nRestart=always\nPrivateTmp=yes\nEnvironment=B=1\n",
    ],
    ["[Service]", "Environment=A=1", "Restart=always", "PrivateTmp=yes", "Environment=B=1"],
  ],
  [
    "a continued line is one line",
    ["[Service]\nExecStart=/bin/a \\\n  --b\n"],
    ["[Service]", "ExecStart=/bin/a    --b"],
  ],
];

for (const [sentence, files, lines] of CASES) {
  test(sentence, () => {
    const [fragment, ...dropins] = files.map((text, index) => parseUnitFile(`${index}.service`, text).file);
    const printed = printEffectiveUnit(effectiveUnit(fragment!, dropins));
    assert.deepEqual(
      printed.map((line) => line.text),
      lines,
    );
  });
}
