import assert from "node:assert/strict";
import { test } from "node:test";
import { countDifferent, eligible } from "./different-signers.ts";

const signer = (...principals: string[]) => ({ principals, fingerprint: `SHA256:${principals.join("+")}` });

test("two keys of one person count once, and people of one group each for themselves", () => {
  const table: readonly (readonly [string, string[][], string[], number])[] = [
    ["nobody", [], ["ops"], 0],
    [
      "two people of a group",
      [
        ["alice", "ops"],
        ["bob", "ops"],
      ],
      ["ops"],
      2,
    ],
    [
      "one person with two keys",
      [
        ["alice", "ops"],
        ["alice", "ops"],
      ],
      ["ops"],
      1,
    ],
    ["one person whose second key has more names", [["alice"], ["alice@home", "alice"]], [], 1],
    ["two keys that have only the group's name", [["ops"], ["ops"]], ["ops"], 1],
    ["a key that joins two names", [["alice"], ["bob"], ["alice", "bob"]], [], 1],
    ["two people named by the rule itself", [["alice"], ["bob"]], ["alice", "bob"], 2],
    ["a person and a forge", [["alice"], ["github-web-flow"]], [], 2],
  ];
  for (const [what, keys, groups, expected] of table)
    assert.equal(
      countDifferent(
        keys.map((names) => signer(...names)),
        groups,
      ),
      expected,
      what,
    );
});

test("a rule that names nobody takes everybody, and one that names somebody only them", () => {
  const all = [signer("alice", "ops"), signer("*@ops.example.org"), signer("carol")];
  const those = (...signers: string[]) => eligible(all, { signers }).map(({ principals }) => principals[0]);
  assert.deepEqual(those(), ["alice", "*@ops.example.org", "carol"]);
  assert.deepEqual(those("ops"), ["alice"]);
  assert.deepEqual(those("dan@ops.example.org", "carol"), ["*@ops.example.org", "carol"]);
  assert.deepEqual(those("nobody"), []);
});
