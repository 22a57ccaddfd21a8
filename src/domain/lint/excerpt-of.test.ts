import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Diagnostic } from "../diagnostic.ts";
import { withExcerpts } from "./excerpt-of.ts";

const CANARY = "Zq7Rk2Vw9Xb4Ty8L";

function shown(text: string | null, at: Diagnostic["at"], saw = "x"): Diagnostic {
  const diagnostic = { code: "c", severity: "error", saw, ...(at === undefined ? {} : { at }) } as const;
  return withExcerpts([diagnostic], (path) => (path === "a" ? text : null))[0]!;
}

describe("the line a finding points at", () => {
  const cases: [sentence: string, text: string, line: number, column: number | undefined, excerpt: unknown][] = [
    ["the first", "ab\ncd\n", 1, 2, { text: "ab", column: 2 }],
    ["the last, without line end", "ab\ncd", 2, 1, { text: "cd", column: 1 }],
    ["behind the last line end", "ab\n", 2, 1, { text: "", column: 1 }],
    ["without column", "ab\n", 1, undefined, { text: "ab", column: null }],
    ["a line that is not there", "ab\n", 4, 1, undefined],
    ["before a secret", "A=b B_TOKEN=canary1 C=d", 1, 5, { text: "A=b B_TOKEN=******** C=d", column: 5 }],
    ["at a secret", "A=b B_TOKEN=canary1 C=d", 1, 13, { text: "A=b B_TOKEN=******** C=d", column: 13 }],
    ["inside of a secret", "A=b B_TOKEN=canary1 C=d", 1, 15, { text: "A=b B_TOKEN=******** C=d", column: 13 }],
    ["behind a secret", "A=b B_TOKEN=canary1 C=d", 1, 21, { text: "A=b B_TOKEN=******** C=d", column: 22 }],
    [
      "with a webhook's address, of which the host is shown",
      'notify: [{ on: [bad], webhook: "https://chat.example/T0/xoxb-1234567890ab" }]',
      1,
      17,
      { text: 'notify: [{ on: [bad], webhook: "https://chat.example/********" }]', column: 17 },
    ],
    ["amid a secret of several lines", "T_TOKEN: |\n  abc\n  def\nB: c", 2, 3, { text: "********", column: 1 }],
  ];
  for (const [sentence, text, line, column, excerpt] of cases) {
    test(sentence, () => {
      const at = { path: "a", line, ...(column === undefined ? {} : { column }) };
      assert.deepEqual(shown(text, at).excerpt, excerpt);
    });
  }

  test("none for a file as a whole, a file nobody read, and no file", () => {
    assert.equal(shown("x", { path: "a" }).excerpt, undefined);
    assert.equal(shown("x", { path: "b", line: 1 }).excerpt, undefined);
    assert.equal(shown("x", undefined).excerpt, undefined);
  });
});

test("a secret that a finding quotes is masked, also where the quote is cut short", () => {
  const text = `[Service]\nEnvironment=A=b\n"DB_PASSWORD=${CANARY}"\nghp_${"a1B2".repeat(9)} x\n`;
  const at = { path: "a", line: 3 };
  assert.equal(shown(text, at, `a line: "\\"DB_PASSWORD=${CANARY}..."`).saw, 'a line: "\\"DB_PASSWORD=********"');
  assert.equal(shown(text, at, `a line: "ghp_a1B2a1B2a1B2..."`).saw, 'a line: "********..."');
});
