import assert from "node:assert/strict";
import { test } from "node:test";
import { splitWords } from "./split-words.ts";

const cases: [string, string, string[], boolean][] = [
  ["blanks and tabs separate", " a.service \t b.service ", ["a.service", "b.service"], false],
  ["nothing", "  ", [], false],
  ["quotes group", `"a b" 'c d'`, ["a b", "c d"], false],
  ["quotes group in the middle of a word", `a" "b`, ["a b"], false],
  ["one kind of quote holds the other", `"it's"`, ["it's"], false],
  ["an empty quote is an empty word", `"" a`, ["", "a"], false],
  ["backslashes stay", "a\\x2db.mount", ["a\\x2db.mount"], false],
  ["an open quote ends the reading", `a "b c`, ["a"], true],
];
for (const [sentence, text, words, isCut] of cases) {
  test(sentence, () => assert.deepEqual(splitWords(text), { words, isCut }));
}
