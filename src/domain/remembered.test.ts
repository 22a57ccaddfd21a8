import assert from "node:assert/strict";
import { test } from "node:test";
import { remembered } from "./remembered.ts";

test("computes once for each object and text, whatever else is equal", () => {
  let computed = 0;
  const twice = remembered((key: { readonly number: number }, text: string) => {
    computed++;
    return `${text}${key.number * 2}`;
  });
  const three = { number: 3 };
  assert.deepEqual([twice(three, "a"), twice(three, "a"), computed], ["a6", "a6", 1]);
  assert.deepEqual([twice(three, "b"), computed], ["b6", 2]);
  assert.deepEqual([twice({ number: 3 }, "a"), computed], ["a6", 3]);
});

test("nothing is a value too", () => {
  let computed = 0;
  const nothing = remembered(() => {
    computed++;
    return undefined;
  });
  const key = {};
  nothing(key, "");
  nothing(key, "");
  assert.equal(computed, 1);
});
