import assert from "node:assert/strict";
import { test } from "node:test";
import { isRewind, REWIND_TEXT_MAX } from "./rewind.ts";

test("an order to go back names one whole commit, who, why and when, in some words each", () => {
  const order = { commit: "a".repeat(40), by: "ann", why: "a mistake", at: "2026-01-01T00:00:00Z" };
  const table: readonly (readonly [what: string, value: unknown, is: boolean])[] = [
    ["one", order, true],
    ["a later fleet's, which says more", { ...order, until: "tomorrow" }, true],
    ["nothing", null, false],
    ["a list", [order], false],
    ["a branch", { ...order, commit: "main" }, false],
    ["half a commit", { ...order, commit: "a".repeat(12) }, false],
    ["a commit and a line", { ...order, commit: `${"a".repeat(40)}\n` }, false],
    ["without a reason", { ...order, why: undefined }, false],
    ["a novel", { ...order, why: "x".repeat(REWIND_TEXT_MAX + 1) }, false],
  ];
  for (const [what, value, is] of table) assert.equal(isRewind(value), is, what);
});
