import assert from "node:assert/strict";
import { test } from "node:test";
import { matchesPrincipals } from "./principal-pattern.ts";

test("principals are matched as OpenSSH matches them", () => {
  const table: readonly (readonly [string, string, boolean])[] = [
    ["alice@example.org", "alice@example.org", true],
    ["alice@example.org", "alice@example.com", false],
    ["*@example.org", "bob@example.org", true],
    ["*@example.org", "bob@example.org.evil", false],
    ["b?b@*", "bob@anywhere", true],
    ["*", "", true],
    ["?", "", false],
    ["alice,ops", "ops", true],
    ["!mallory,*", "mallory", false],
    ["!mallory,*", "alice", true],
    ["*,!mallory", "mallory", false],
    ["!mallory", "alice", false],
    ["a*b*c", "aXbYbZc", true],
    ["a*b*c", "aXbYbZ", false],
    ["Alice", "alice", false],
  ];
  for (const [patterns, principal, expected] of table)
    assert.equal(matchesPrincipals(patterns.split(","), principal), expected, `${patterns} and ${principal}`);
});

test("a pattern of many stars against a long name comes to an answer", () => {
  assert.equal(matchesPrincipals([`${"*a".repeat(500)}b`], "a".repeat(20_000)), false);
});
