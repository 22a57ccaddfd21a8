import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../../../test/property/fast-check.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import type { UnitFile } from "../unit/unit-file.ts";
import { formatUnitFile } from "./format-unit-file.ts";

const parsed = (text: string) => parseUnitFile("units/web.service", new TextEncoder().encode(text)).file;

const CASES: readonly (readonly [name: string, before: string, after: string | null])[] = [
  ["blanks around the sign", "[Service]\n  ExecStart =  /bin/true  \n", "[Service]\nExecStart=/bin/true\n"],
  ["no line break at the end", "[Unit]", "[Unit]\n"],
  ["sections without a gap", "[Unit]\nDescription=x\n[Service]\n", "[Unit]\nDescription=x\n\n[Service]\n"],
  ["too many gaps, and at the ends", "\n\n[Unit]\n\n\n\nAfter=a.service\n\n\n", "[Unit]\n\nAfter=a.service\n"],
  ["a comment before a section stays with it", "[Unit]\n\n  # why \n[Service]\n", "[Unit]\n\n# why\n\n[Service]\n"],
  [
    "lines that go on",
    "[Service]\nExecStart = /bin/sh \\\n   -c  'a  b' \\\n# no\n  \n",
    "[Service]\nExecStart=/bin/sh \\\n   -c  'a  b' \\\n# no\n  \n",
  ],
  ["an empty value, which resets", "[Service]\nExecStart= \n", "[Service]\nExecStart=\n"],
  ["a line systemd would not read", "[Unit]\nnonsense\n", null],
  ["nothing at all", "", ""],
];

for (const [name, before, after] of CASES) {
  test(`a unit file is put in order: ${name}`, () => assert.equal(formatUnitFile(parsed(before)), after));
}

const assignments = ({ entries }: UnitFile) =>
  entries.flatMap((entry) => (entry.kind === "assignment" ? [[entry.section, entry.key, entry.value]] : []));

test("systemd reads the same from what was put in order, which is in order", () => {
  const piece = fc.constantFrom(
    ..."[Unit]|[Service]|\n|\n\n| |\t|# c|; c|ExecStart=/bin/a b|After = x.service|Environment=A=1 \\|  more|=|\\|After=|\r\n".split(
      "|",
    ),
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 24 }), fc.constantFrom("", "\n"), (pieces, end) => {
      const file = parsed(`[Unit]\n${pieces.join("\n")}${end}`);
      const text = formatUnitFile(file);
      if (text === null) return;
      const again = parsed(text);
      assert.deepEqual(assignments(again), assignments(file));
      assert.equal(formatUnitFile(again), text);
    }),
    { numRuns: 3_000 },
  );
});
