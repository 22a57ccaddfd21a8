import assert from "node:assert/strict";
import { test } from "node:test";
import { splitCommand } from "./split-command.ts";

const CASES: readonly (readonly [says: string, line: string, words: readonly string[] | null])[] = [
  ["blanks separate, however many", "/bin/a  -q\t-x ", ["/bin/a", "-q", "-x"]],
  ["quotes group and go", `/bin/a "b c" 'd "e'`, ["/bin/a", "b c", 'd "e']],
  ["also in the midst of a word", `--x="b c"`, ["--x=b c"]],
  ["an empty word is one", `/bin/a ""`, ["/bin/a", ""]],
  ["escapes are C's, also in quotes", String.raw`a\tb "c\"d" 'e\'f' \x41 g\sh`, ["a\tb", 'c"d', "e'f", "A", "g h"]],
  ["a quote stays open", `/bin/a "b`, null],
  ["an escape of nothing", "/bin/a \\q", null],
  ["a backslash at the end", "/bin/a \\", null],
  ["a NUL", "/bin/a \\x00", null],
  ["dollars and semicolons are only characters", "/bin/a $X; b", ["/bin/a", "$X;", "b"]],
];

for (const [says, line, words] of CASES) {
  test(says, () => assert.deepEqual(splitCommand(line), words));
}
