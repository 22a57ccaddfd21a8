import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { diffText } from "./diff-text.ts";

const linesOf = (text: string | null, path = "units/a.service") =>
  text?.split("\n").map((line, index) => ({ text: line, at: { path, line: index + 1 } })) ?? null;

const change = (before: string | null, after: string | null) =>
  diffText([{ units: ["a.service"], before: linesOf(before), after: linesOf(after) }]);

describe("a diff of what systemd reads", () => {
  const cases: [sentence: string, before: string | null, after: string | null, text: string][] = [
    [
      "a line changed, and where that is written",
      "[Service]\nA=1",
      "[Service]\nA=2",
      "--- a.service\n+++ a.service\n@@ -1,2 +1,2 @@ units/a.service:2\n [Service]\n-A=1\n+A=2\n",
    ],
    ["a unit that is new", null, "A=1", "--- /dev/null\n+++ a.service\n@@ -0,0 +1,1 @@ units/a.service:1\n+A=1\n"],
    ["a unit that goes", "A=1", null, "--- a.service\n+++ /dev/null\n@@ -1,1 +0,0 @@ units/a.service:1\n-A=1\n"],
    [
      "a secret that changed shows that it did",
      "[S]\nEnvironment=A_TOKEN=canary1 B=c",
      "[S]\nEnvironment=A_TOKEN=canary2 B=c",
      "--- a.service\n+++ a.service\n@@ -1,2 +1,2 @@ units/a.service:2\n [S]\n-Environment=A_TOKEN=******** B=c\n+Environment=A_TOKEN=******** B=c\n",
    ],
    [
      "what would steer a terminal is made visible",
      "A=1",
      "A=\u001b[31m",
      "--- a.service\n+++ a.service\n@@ -1,1 +1,1 @@ units/a.service:1\n-A=1\n+A=\\x1b[31m\n",
    ],
  ];
  for (const [sentence, before, after, text] of cases) test(sentence, () => assert.equal(change(before, after), text));

  test("many instances are named up to six", () => {
    const units = Array.from({ length: 9 }, (_, index) => `web@${index}.service`);
    const text = diffText([{ units, before: linesOf("A=1"), after: linesOf("A=2") }]);
    assert.match(text, /^--- web@0\.service, .*web@5\.service and 3 more\n/);
  });

  test("two units of 5,000 lines that share none are told as replaced", () => {
    const many = (word: string) => Array.from({ length: 5_000 }, (_, index) => `${word}${index}=1`).join("\n");
    assert.match(change(many("a"), many("b")), /\n\(replaced: 5000 lines by 5000 others\)\n$/);
  });

  test("a secret of many lines, of which the diff shows some", () => {
    const key = (line: string) =>
      `A=-----BEGIN PRIVATE KEY-----\\\n${`${line}\\\n`.repeat(20)}-----END PRIVATE KEY-----\nB=1\n`;
    assert.doesNotMatch(change(key("canary"), key("canary").replace("B=1", "B=2")), /canary/);
    assert.doesNotMatch(change(key("canary"), key("canarx")), /canar/);
  });
});
