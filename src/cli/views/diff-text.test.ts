import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { diffText } from "./diff-text.ts";

const change = (before: string | null, after: string | null) =>
  diffText([{ unit: "a.service", path: "a.service", before, after }])
    .split("\n")
    .slice(2)
    .join("\n");

describe("a diff of what machines have", () => {
  const cases: [sentence: string, before: string | null, after: string | null, text: string][] = [
    ["a line changed", "[Service]\nA=1\n", "[Service]\nA=2\n", "@@ -1,2 +1,2 @@\n [Service]\n-A=1\n+A=2\n"],
    ["a file that is new", null, "A=1\n", "@@ -0,0 +1,1 @@\n+A=1\n"],
    ["a file that goes", "A=1\n", null, "@@ -1,1 +0,0 @@\n-A=1\n"],
    [
      "no line end",
      "A=1",
      "A=2",
      "@@ -1,1 +1,1 @@\n-A=1\n\\ No newline at end of file\n+A=2\n\\ No newline at end of file\n",
    ],
    [
      "a secret that changed shows that it did",
      "[S]\nEnvironment=A_TOKEN=canary1 B=c\n",
      "[S]\nEnvironment=A_TOKEN=canary2 B=c\n",
      "@@ -1,2 +1,2 @@\n [S]\n-Environment=A_TOKEN=******** B=c\n+Environment=A_TOKEN=******** B=c\n",
    ],
    [
      "a secret beside what changed, and lines moved by others",
      "X=1\nPASSWORD=canary\nA=1\n",
      "PASSWORD=canary\nB=1\nA=2\n",
      "@@ -1,3 +1,3 @@\n-X=1\n PASSWORD=********\n-A=1\n+B=1\n+A=2\n",
    ],
  ];
  for (const [sentence, before, after, text] of cases) test(sentence, () => assert.equal(change(before, after), text));

  test("a secret of many lines, of which the diff shows some", () => {
    const key = (line: string) =>
      `A=-----BEGIN PRIVATE KEY-----\\\n${`${line}\\\n`.repeat(20)}-----END PRIVATE KEY-----\nB=1\n`;
    assert.doesNotMatch(change(key("canary"), key("canary").replace("B=1", "B=2")), /canary/);
    assert.doesNotMatch(change(key("canary"), key("canarx")), /canar/);
  });
});
