import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "../../../test/property/fast-check.ts";
import { displayWidth } from "./display-width.ts";
import { excerptLines } from "./source-excerpt.ts";

describe("a line and its caret", () => {
  const cases: [sentence: string, text: string, column: number | null, lines: string[]][] = [
    ["plain", "Restrat=no", 1, ["    Restrat=no", "    ^"]],
    ["in the middle", "  Key = value", 7, ["      Key = value", "          ^"]],
    ["behind the end", "ab", 3, ["    ab", "      ^"]],
    ["far behind the end", "ab", 99, ["    ab", "      ^"]],
    ["an empty line", "", 1, ["", "    ^"]],
    ["no column", "ab", null, ["    ab"]],
    ["tabs stand for blanks up to the next eighth", "a\tb\tc", 5, ["    a       b       c", "                    ^"]],
    ["at a tab itself", "\tb", 1, ["            b", "    ^"]],
    ["wide characters take two cells", "日本=x", 4, ["    日本=x", "         ^"]],
    ["a character of two code units", "😀=x", 3, ["    😀=x", "      ^"]],
    ["a combining mark takes none", "e\u0301=x", 3, ["    e\u0301=x", "     ^"]],
    ["what steers a terminal is made visible", "a\u001b[2Jb", 6, ["    a\\x1b[2Jb", "            ^"]],
    ["a carriage return too", "a=b\r", 4, ["    a=b\\r", "       ^"]],
  ];
  for (const [sentence, text, column, lines] of cases) {
    test(sentence, () => assert.deepEqual(excerptLines({ text, column }), lines));
  }

  test("a long line is cut around its caret, and fits a terminal", () => {
    const text = `${"a".repeat(500)}X${"b".repeat(500)}`;
    for (const column of [1, 20, 31, 40, 501, 980, 1001]) {
      const [line, caret] = excerptLines({ text, column });
      assert.ok(displayWidth(line!) <= 82, `${column}: ${line!.length}`);
      assert.equal(line![caret!.indexOf("^")], text[column - 1], `${column}`);
    }
    const [line] = excerptLines({ text, column: 501 });
    assert.match(line!, /^ {4}…a+Xb+…$/);
    assert.match(excerptLines({ text, column: 1 })[0]!, /^ {4}a+…$/);
    assert.match(excerptLines({ text, column: 1001 })[0]!, /^ {4}…b+$/);
  });

  test("a long line of wide characters too", () => {
    const [line, caret] = excerptLines({ text: `${"日".repeat(200)}X${"本".repeat(200)}`, column: 201 });
    assert.ok(displayWidth(line!) <= 82);
    assert.equal(displayWidth(line!.slice(0, line!.indexOf("X"))), caret!.indexOf("^"));
  });
});

test("for any line and place: it fits, nothing in it steers a terminal, and the caret is in the line or right behind it", () => {
  const text = fc.string({ unit: "binary", maxLength: 200 }).map((one) => one.replaceAll("\n", ""));
  fc.assert(
    fc.property(text, fc.nat({ max: 250 }), (line, column) => {
      const [shown, caret] = excerptLines({ text: line, column: column + 1 });
      assert.ok(displayWidth(shown!) <= 82 && caret!.length <= 83);
      assert.doesNotMatch(shown!, /[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/);
      assert.match(caret!, /^ {4} *\^$/);
    }),
  );
});
