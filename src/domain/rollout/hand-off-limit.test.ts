import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../../test/compile-repository.ts";
import { handOffLimitMs } from "./hand-off-limit.ts";

const CASES: Readonly<Record<string, readonly [files: Readonly<Record<string, string>>, limitS: number]>> = {
  "systemd's own time, for the main process and for children that are left": [{ "a.service": "" }, 210],
  "as long as its text allows a stop": [{ "a.service": "TimeoutStopSec=10\n" }, 50],
  "with every stop command": [{ "a.service": "TimeoutStopSec=10\nExecStop=/bin/true\nKillMode=mixed\n" }, 50],
  "a stop that may take for ever is told of like any other": [{ "a.service": "TimeoutStopSec=infinity\n" }, 210],
};

for (const [sentence, [units, limitS]] of Object.entries(CASES)) {
  test(sentence, () => {
    const { spec } = compileRepository({
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: test\n",
      ...Object.fromEntries(
        Object.entries(units).map(([name, text]) => [`units/${name}`, `[Service]\nExecStart=/bin/sleep 1\n${text}`]),
      ),
    });
    assert.equal(handOffLimitMs(spec!.units[0]!), limitS * 1_000);
  });
}

test("of a unit the commit does not know the usual time is taken", () => {
  assert.equal(handOffLimitMs(null), 210_000);
});
