import assert from "node:assert/strict";
import { test } from "node:test";
import { parseBoolean } from "./parse-boolean.ts";

for (const text of ["1", "yes", "Y", "TRUE", "t", "on"])
  test(`${text} is yes`, () => assert.equal(parseBoolean(text), true));
for (const text of ["0", "no", "N", "False", "f", "off"])
  test(`${text} is no`, () => assert.equal(parseBoolean(text), false));
for (const text of ["", "2", "maybe", " yes"])
  test(`${JSON.stringify(text)} is neither`, () => assert.equal(parseBoolean(text), null));
