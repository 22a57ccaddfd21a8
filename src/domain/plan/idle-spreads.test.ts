import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, shownFindings } from "../../../test/compile-repository.ts";
import { machineId } from "../../../test/property/generators/cluster.ts";
import type { Machine } from "../cluster/machine.ts";
import { idleSpreads } from "./idle-spreads.ts";

const CASES: readonly (readonly [says: string, spread: string, metadata: readonly object[], readonly string[]])[] = [
  ["a key that some machine has", "zone", [{}, { zone: "a" }], []],
  [
    "a slip",
    "zon",
    [{ zone: "a" }],
    [
      "units/web@.service:4 spread-without-key Spread=zon in web@.service, while no machine of the cluster has zon in its metadata",
    ],
  ],
  [
    "a key that nobody has",
    "rack",
    [{}],
    [
      "units/web@.service:4 spread-without-key Spread=rack in web@.service, while no machine of the cluster has rack in its metadata",
    ],
  ],
  ["a rule, which leaves replicas unplaced", "rack hard", [{}], []],
  ["no machine yet", "rack", [], []],
];

for (const [says, spread, metadata, findings] of CASES) {
  test(says, () => {
    const { spec } = compileRepository({
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: test\nunits: { web@.service: { instances: 2 } }\n",
      "units/web@.service": `[Service]\nExecStart=/bin/web\n[X-Fleet]\nSpread=${spread}\n`,
    });
    assert.ok(spec);
    const found = idleSpreads(
      spec,
      metadata.map((one, index) => machineOf(one as Machine["metadata"], index)),
    );
    assert.deepEqual(shownFindings(found), findings);
    assert.deepEqual(
      found.map(({ next }) => next),
      findings.map(() => (spread === "zon" ? "did you mean zone?" : "give the machines a rack")),
    );
  });
}

function machineOf(metadata: Machine["metadata"], index: number): Machine {
  const facts = { address: "", drain: false, cordon: false, presenceRevision: 1, admitted: true };
  return { id: machineId(index), name: `m${index}`, metadata, ...facts, presence: "present" };
}
