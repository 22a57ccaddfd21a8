import assert from "node:assert/strict";
import test from "node:test";
import { readSecretHeader } from "./secret-header.ts";

/** The header's lines and something for the value, as an armored file. */
function armored(lines: readonly string[]): string {
  const base64 = btoa(`${lines.join("\n")}\n`);
  return `-----BEGIN AGE ENCRYPTED FILE-----\n${base64.match(/.{1,64}/g)!.join("\n")}\n-----END AGE ENCRYPTED FILE-----\n`;
}

const BODY = "ak3Y0eBtV9FBCc6Sj3cLy+oePL6SI07QJHfm1AXjVdo";

test("a header says for whom a file is: machines by tag, people by number, and its version", () => {
  const text = armored([
    "age-encryption.org/v1",
    ...["-> ssh-ed25519 zzzzzz share", BODY],
    ...["-> ssh-ed25519 FM60fg share", BODY],
    ...["-> X25519 share", BODY],
    ...["-> abc-grease (x", ""],
    ...["-> fleet-version v1", ""],
    ...["--- mac", "value"],
  ]);
  assert.deepEqual(readSecretHeader(text), { header: { tags: ["FM60fg", "zzzzzz"], others: 1, version: "v1" } });
});

test("line ends of another system are read as well", () => {
  const text = armored(["age-encryption.org/v1", "-> X25519 share", BODY, "--- mac", "value"]).replaceAll("\n", "\r\n");
  assert.deepEqual(readSecretHeader(text), { header: { tags: [], others: 1, version: null } });
});

test("what is no armored age file is told from one, and why", () => {
  const cases: readonly [string, string, string][] = [
    [
      "a binary age file",
      "age-encryption.org/v1\n-> X25519 a\nb\n--- c\n",
      "an age file that is not armored, which git would keep as binary",
    ],
    ["a value nobody encrypted", "hunter2\n", "a file that is no armored age file"],
    ["nothing", "", "a file that is no armored age file"],
    ["one that was cut", armored(["age-encryption.org/v1", "-> X25519 share"]), "a damaged age file"],
    ["one of another version", armored(["age-encryption.org/v2", "--- mac"]), "a damaged age file"],
    [
      "one with a stray line",
      armored(["age-encryption.org/v1", "--- mac"]).replace("\n", "\n<<<<<<< HEAD\n"),
      "a damaged age file",
    ],
  ];
  for (const [what, text, problem] of cases) assert.deepEqual(readSecretHeader(text), { problem }, what);
});
