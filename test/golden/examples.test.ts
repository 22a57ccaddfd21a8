import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join, relative } from "node:path";
import { test } from "node:test";
import { describeFailure } from "../../src/cli/views/tests-text.ts";
import { readTestFile } from "../../src/codec/test-file/read-test-file.ts";
import { judgeTest } from "../../src/domain/testing/judge-test.ts";
import { compileRepository, sha256, shownFindings } from "../compile-repository.ts";

const hello = join(import.meta.dirname, "../../examples/hello");

test("examples/hello compiles without a finding; all of it may move", () => {
  const units = readdirSync(join(hello, "units")).map((name) => [`units/${name}`, join(hello, "units", name)] as const);
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": readFileSync(join(hello, "fleet.yaml"), "utf8"),
    ...Object.fromEntries(units.map(([path, file]) => [path, readFileSync(file, "utf8")])),
  });
  assert.deepEqual(shownFindings(diagnostics), []);
  assert.deepEqual(
    spec!.units.map((unit) => [unit.name, unit.goal]),
    [
      ["blue.service", "launched"],
      ["everywhere.service", "launched"],
      ["hello@1.service", "launched"],
      ["hello@2.service", "launched"],
      ["red.service", "launched"],
      ["tick.service", "loaded"],
      ["tick.timer", "launched"],
    ],
  );
  assert.ok(spec!.groups.every((group) => group.move === "auto"));
  assert.deepEqual(
    spec!.groups.map((group) => group.units.length),
    [1, 1, 1, 1, 1, 2],
  );
});

for (const example of ["web", "options", "homelab"]) {
  test(`examples/${example} is as its own tests expect`, () => {
    const folder = join(import.meta.dirname, "../../examples", example);
    const listed = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const paths = listed.map((entry) => join(entry.parentPath, entry.name));
    const files = paths.map((path) => [relative(folder, path), readFileSync(path, "utf8")] as const);
    const { spec } = compileRepository(Object.fromEntries(files));
    const tests = files.filter(([path]) => path.startsWith("tests/"));
    assert.ok(tests.length > 0);
    for (const [path, text] of tests) {
      const { file, diagnostics } = readTestFile(path, text);
      assert.deepEqual(diagnostics, []);
      const failures = judgeTest(spec!, file!, sha256).flatMap((judged) => judged.failures.map(describeFailure));
      assert.deepEqual(failures, []);
    }
  });
}
