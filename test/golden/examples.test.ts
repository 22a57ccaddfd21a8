import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { compileRepository, shownFindings } from "../compile-repository.ts";

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
