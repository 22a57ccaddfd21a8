import assert from "node:assert/strict";
import { test } from "node:test";
import { fenceToken } from "./fence-token.ts";

test("each later assignment has a greater token, also in a new registry that counts from the beginning", () => {
  const inTime = [
    fenceToken(1, 7),
    fenceToken(1, 8),
    fenceToken(1, 999_999_999_999),
    fenceToken(2, 1),
    fenceToken(9, 3),
  ];
  assert.deepEqual(
    [...inTime].sort((a, b) => Number(a) - Number(b)),
    inTime,
  );
  for (const token of inTime) assert.match(token, /^[0-9]+$/);
});

test("nothing is assigned at no revision", () => {
  assert.throws(() => fenceToken(1, 0));
});
