import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { UnitHash } from "../names.ts";
import { effectOfDirective } from "../unit/directive-effects.ts";
import { unitOnMachine } from "./unit-on-machine.ts";

const files = {
  "units/web@.service": "[Service]\nExecStart=/bin/sleep 1d\n",
  "units/data.volume": "[Volume]\n",
};

function hashes(said: string): readonly UnitHash[] {
  const manifest = `apiVersion: fleet/v1\ncluster: prod\nunits:\n  web@.service: { instances: 2${said} }\n`;
  const { spec, diagnostics } = compileRepository({ "fleet.yaml": manifest, ...files });
  assert.ok(spec !== null, JSON.stringify(diagnostics));
  return spec.units.map((unit) => unitOnMachine(unit, null, spec, sha256).hash);
}

test("another moment is another version of that unit, and of no other", () => {
  const [data, ...web] = hashes(", restartedAfter: 2026-11-21T10:00:00Z");
  const [sameData, ...later] = hashes(", restartedAfter: 2026-11-21T10:00:01Z");
  assert.equal(data, sameData);
  assert.equal(new Set([...web, ...later, ...hashes("").slice(1)]).size, 6);
});

test("what the drop-in says restarts", () => assert.equal(effectOfDirective("Unit", "X-Restart-Triggers"), "restart"));

for (const moment of ["2026-11-21", "2026-11-21T10:00:00+01:00", "2026-13-01T10:00:00Z", "now"]) {
  test(`a moment has one spelling, which ${moment} is not`, () => {
    const manifest = `apiVersion: fleet/v1\ncluster: prod\ndefaults: { restartedAfter: ${JSON.stringify(moment)} }\nunits: { web@.service: { instances: 1 } }\n`;
    const { diagnostics } = compileRepository({ "fleet.yaml": manifest, ...files });
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "error").map(({ expected }) => expected),
      ["a moment in UTC such as 2026-11-21T10:00:00Z"],
    );
  });
}
