import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "../../../test/property/fast-check.ts";
import { displayWidth } from "./display-width.ts";
import { cutEnd, cutMiddle, wrapWords } from "./fit-width.ts";

test("what is cut fits, wide characters counted as two, and what fits is left alone", () => {
  const text = fc.string({ unit: fc.constantFrom("a", "b", " ", "日", "é", "-"), maxLength: 30 });
  fc.assert(
    fc.property(text, fc.integer({ min: 1, max: 40 }), (long, cells) => {
      for (const cut of [cutEnd(long, cells), cutMiddle(long, cells)]) {
        assert.ok(displayWidth(cut) <= cells, cut);
        assert.equal(cut === long, displayWidth(long) <= cells || long === "…");
      }
    }),
  );
});

test("a cut is at the end of a word where one is near, and a name keeps both its ends", () => {
  assert.equal(cutEnd("ExecStart=, Environment= changed", 27), "ExecStart=, Environment=…");
  assert.equal(cutEnd("a bcdefghijklmnop", 10), "a bcdefgh…");
  assert.equal(cutMiddle("a-very-long-name.service", 17), "a-very-l….service");
});

test("lines are broken between words, what follows is further in, spaces inside stay, no word is lost", () => {
  assert.deepEqual(wrapWords("  wave 1  web@1 on m1, web@2 on m2", 22), [
    "  wave 1  web@1 on m1,",
    "      web@2 on m2",
  ]);
  assert.deepEqual(wrapWords("unbreakablyLongWord and", 10), ["unbreakablyLongWord", "    and"]);
});
