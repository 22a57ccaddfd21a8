import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { parseUnitFile, UNIT_FILE_MAX, UNIT_LINE_MAX } from "./parse-unit-file.ts";
import { printUnitFile } from "./print-unit-file.ts";

const assignments = (text: string) =>
  parseUnitFile("a.service", text).file.entries.flatMap((entry) =>
    entry.kind === "assignment" ? [[entry.section, entry.key, entry.value, entry.line, entry.column]] : [],
  );

describe("row 85: what systemd reads", () => {
  const cases: [string, string, unknown[]][] = [
    ["a value stripped of blanks and tabs", "[S]\n \tA \t= \tb c \t\n", [["S", "A", "b c", 2, 3]]],
    ["no final newline", "[S]\nA=b", [["S", "A", "b", 2, 1]]],
    [
      "repeated keys in order",
      "[S]\nA=1\nA=2\n",
      [
        ["S", "A", "1", 2, 1],
        ["S", "A", "2", 3, 1],
      ],
    ],
    ["an empty assignment is one", "[S]\nA=\n", [["S", "A", "", 2, 1]]],
    ["further = belong to the value", "[S]\nA=b=c\n", [["S", "A", "b=c", 2, 1]]],
    ["quotes and escapes are kept", '[S]\nA="b \\n"\n', [["S", "A", '"b \\n"', 2, 1]]],
    [
      "a section twice",
      "[S]\nA=1\n[T]\n[S]\nB=2\n",
      [
        ["S", "A", "1", 2, 1],
        ["S", "B", "2", 5, 1],
      ],
    ],
    ["comments with # and ;", "[S]\n#A=1\n ;A=2\nA=3\n", [["S", "A", "3", 4, 1]]],
    ["a # inside a value is no comment", "[S]\nA=b #c\n", [["S", "A", "b #c", 2, 1]]],
    ["a backslash in a comment continues nothing", "[S]\n# x \\\nA=3\n", [["S", "A", "3", 3, 1]]],
    [
      "a continuation: the backslash becomes a blank",
      "[S]\nA=b\\\n  c\nB=d\n",
      [
        ["S", "A", "b   c", 2, 1],
        ["S", "B", "d", 4, 1],
      ],
    ],
    ["comment lines inside a continuation are skipped", "[S]\nA=b\\\n# x\n;y\\\nc\n", [["S", "A", "b c", 2, 1]]],
    [
      "a blank line ends a continuation",
      "[S]\nA=b \\\n\nB=c\n",
      [
        ["S", "A", "b", 2, 1],
        ["S", "B", "c", 4, 1],
      ],
    ],
    [
      "two backslashes are no continuation",
      "[S]\nA=b\\\\\nB=c\n",
      [
        ["S", "A", "b\\\\", 2, 1],
        ["S", "B", "c", 3, 1],
      ],
    ],
    ["three are one", "[S]\nA=b\\\\\\\nc\n", [["S", "A", "b\\\\ c", 2, 1]]],
    [
      "a blank behind the backslash makes it text",
      "[S]\nA=b\\ \nB=c\n",
      [
        ["S", "A", "b\\", 2, 1],
        ["S", "B", "c", 3, 1],
      ],
    ],
    ["a continuation that meets the end of the file", "[S]\nA=b\\", [["S", "A", "b", 2, 1]]],
    ["a key continued before its =", "[S]\nA\\\n=b\n", [["S", "A", "b", 2, 1]]],
    ["a header may be indented", "  [S]  \nA=b\n", [["S", "A", "b", 2, 1]]],
  ];
  for (const [sentence, text, expected] of cases) {
    test(sentence, () => {
      assert.deepEqual(parseUnitFile("a.service", text).diagnostics, []);
      assert.deepEqual(assignments(text), expected);
      assert.equal(printUnitFile(parseUnitFile("a.service", text).file), text);
    });
  }
});

describe("row 85: what is refused, with its place", () => {
  const long = `A=${"é".repeat(UNIT_LINE_MAX / 2)}`;
  const cases: [string, string | Uint8Array, [string, number | undefined, number | undefined][]][] = [
    ["Windows line ends, once", "[S]\r\nA=b\r\n\r\n#c\r\n", [["unit-carriage-return", 1, 4]]],
    ["a carriage return that hides a directive", "[S]\nA=b # \rExecStart=/x\n", [["unit-carriage-return", 2, 7]]],
    ["NUL", "[S]\nA=b\0C=d\n", [["unit-nul", 2, 4]]],
    ["a byte order mark", "\ufeff[S]\nA=b\n", [["unit-bom", 1, 1]]],
    ["the same in bytes", Uint8Array.from([0xef, 0xbb, 0xbf, 0x5b, 0x53, 0x5d]), [["unit-bom", 1, 1]]],
    [
      "bytes that are not UTF-8",
      Uint8Array.from([0x5b, 0x53, 0x5d, 0x0a, 0x41, 0x3d, 0xff]),
      [["unit-not-utf8", 2, 3]],
    ],
    ["half a surrogate pair", "[S]\nA=\ud800\n", [["unit-not-utf8", undefined, undefined]]],
    ["a line above the limit, counted in bytes", `[S]\n${long}\n`, [["unit-line-too-long", 2, 1]]],
    ["a long line inside a continuation", `[S]\nA=\\\n${long}\n`, [["unit-line-too-long", 3, 1]]],
    ["a long comment", `#${"x".repeat(UNIT_LINE_MAX)}\n`, [["unit-line-too-long", 1, 1]]],
    ["a file above the limit", "#\n".repeat(UNIT_FILE_MAX / 2 + 1), [["unit-file-too-large", undefined, undefined]]],
    ["text before the first section, once", "A=b\nB=c\n[S]\n", [["unit-text-before-section", 1, 1]]],
    ["a line without =", "[S]\n  Abc\n", [["unit-no-equals", 2, 3]]],
    ["nothing before =", "[S]\n=b\n", [["unit-no-key", 2, 1]]],
    ["a header without end", "[S\nA=b\n", [["unit-section-header", 1, 1]]],
    ["a header with text behind it", "[S] x\n", [["unit-section-header", 1, 1]]],
    ["a comment behind a header", "[S] # x\nA=b\n", [["unit-section-header", 1, 1]]],
    ["an empty header", "[]\n", [["unit-section-header", 1, 1]]],
    ["a lone bracket", "[\n", [["unit-section-header", 1, 1]]],
    [
      "every problem of a file",
      "[S]\nx\n[T\n[U]\n=\n",
      [
        ["unit-no-equals", 2, 1],
        ["unit-section-header", 3, 1],
        ["unit-no-key", 5, 1],
      ],
    ],
  ];
  for (const [sentence, content, expected] of cases) {
    test(sentence, () => {
      const { diagnostics } = parseUnitFile("units/a.service", content);
      assert.deepEqual(
        diagnostics.map(({ code, at }) => [code, at?.line, at?.column]),
        expected,
      );
      assert.ok(diagnostics.every(({ severity, at }) => severity === "error" && at?.path === "units/a.service"));
    });
  }

  test("a line of exactly the limit is taken", () => {
    const text = `[S]\nA=${"x".repeat(UNIT_LINE_MAX - 2)}\n`;
    assert.deepEqual(parseUnitFile("a.service", text).diagnostics, []);
  });
});

test("a refused file's broken lines are still printed back", () => {
  const text = "A=b\n[S\nx\n[T]\n=\n\n# end";
  assert.equal(printUnitFile(parseUnitFile("a.service", text).file), text);
});

test("a byte order mark is printed back too", () => {
  assert.equal(printUnitFile(parseUnitFile("a.service", "\ufeff[S]\n").file), "\ufeff[S]\n");
});

test("the largest files of the worst shapes are read in moments", () => {
  const started = performance.now();
  for (const text of ["\\\n".repeat(UNIT_FILE_MAX / 2), " ".repeat(UNIT_FILE_MAX), "[\n".repeat(UNIT_FILE_MAX / 2)]) {
    parseUnitFile("a.service", text);
  }
  assert.ok(performance.now() - started < 5000);
});
