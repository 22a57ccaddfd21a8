import assert from "node:assert/strict";
import { test } from "node:test";
import { effectiveUnit } from "./effective-unit.ts";
import { parseUnitFile } from "./parse-unit-file.ts";

const parse = (path: string, text: string) => parseUnitFile(path, text).file;
const unit = effectiveUnit(
  parse("a.service", "[Unit]\nAfter=x.service\n[Service]\nEnvironment=A=1\nEnvironment=B=2\nType=simple\nUser=me\n"),
  [
    parse("10.conf", "[Service]\nEnvironment=\nEnvironment=C=3\nType=notify\n[Unit]\nAfter=\nAfter=y.service\n"),
    parse("20.conf", "[Service]\nEnvironment=D=4\nUser=\n[X-Fleet]\n"),
  ],
);
const texts = (values: readonly { value: string }[]) => values.map(({ value }) => value);

test("lists grow over drop-ins, from the last empty assignment on", () => {
  assert.deepEqual(texts(unit.values("Service", "Environment")), ["C=3", "D=4"]);
});

test("a list that ends in an empty assignment is empty", () => {
  assert.deepEqual(unit.values("Service", "User"), []);
});

test("dependencies are never reset", () => {
  assert.deepEqual(texts(unit.allValues("Unit", "After")), ["x.service", "y.service"]);
});

test("the last single value counts, and knows its place", () => {
  assert.deepEqual(unit.last("Service", "Type"), {
    key: "Type",
    value: "notify",
    at: { path: "10.conf", line: 4, column: 1 },
  });
});

test("a single value set back is none", () => assert.equal(unit.last("Service", "User"), null));

test("what nobody set is none", () => {
  assert.equal(unit.last("Service", "Nice"), null);
  assert.deepEqual(unit.values("Install", "WantedBy"), []);
});

test("sections of all files, in order of appearance, each with its first place", () => {
  assert.deepEqual(unit.sections, ["Unit", "Service", "X-Fleet"]);
  assert.deepEqual(unit.sectionAt("X-Fleet"), { path: "20.conf", line: 4, column: 1 });
  assert.equal(unit.sectionAt("Install"), null);
});
