import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { previewMachine } from "./preview-machine.ts";

function specOf(units: Readonly<Record<string, string>>, machines = ""): ClusterSpec {
  const files = Object.entries(units).map(([name, text]) => {
    const [fleet, command = "/bin/true"] = text.split("|");
    return [`units/${name}.service`, `[Service]\nExecStart=${command}\n[X-Fleet]\n${fleet}\n`];
  });
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: edge\n${machines}`,
    ...Object.fromEntries(files),
  });
  assert.notEqual(spec, null, JSON.stringify(diagnostics));
  return spec!;
}

const before = specOf({ a: "Global=true", b: "MachineMetadata=ring=canary", c: "Global=true", d: "" });
const after = specOf({ a: "Global=true", b: "MachineMetadata=ring=canary|/bin/false", e: "Global=true", d: "" });
const canary = { nameOrId: "site-1", metadata: { ring: "canary" } };

test("a preview says what a machine runs, and what changes there from the other commit", () => {
  const { set, changes, machine } = previewMachine(after, before, canary, sha256);
  assert.equal(machine.name, "site-1");
  assert.deepEqual(
    set.placements.map(({ unit }) => unit),
    ["a.service", "b.service", "e.service"],
  );
  assert.deepEqual(changes.map(({ unit, effect }) => `${unit} ${effect}`).sort(), [
    "b.service restart",
    "c.service stop",
    "e.service start",
  ]);
  assert.deepEqual(set.left, [{ unit: "d.service", because: "needs-engine" }]);
});

test("on a machine of another ring the same commits change something else", () => {
  const { changes } = previewMachine(after, before, { ...canary, metadata: { ring: "slow" } }, sha256);
  assert.deepEqual(changes.map(({ unit }) => unit).sort(), ["c.service", "e.service"]);
});

test("a machine that runs nothing yet starts all of it", () => {
  const { changes } = previewMachine(after, null, canary, sha256);
  assert.deepEqual([...new Set(changes.map(({ effect }) => effect))], ["start"]);
});

test("what git says of a machine wins, whether it is named by name or by id", () => {
  const id = "2".repeat(32);
  const listed = specOf(
    { a: "MachineMetadata=ring=slow", b: `MachineID=${id}` },
    `machines: { site-1: { id: "${id}", metadata: { ring: slow } } }\n`,
  );
  for (const nameOrId of ["site-1", id]) {
    const { machine, set } = previewMachine(listed, null, { ...canary, nameOrId }, sha256);
    assert.deepEqual([machine.name, machine.id, set.placements.length], ["site-1", id, 2]);
  }
});

test("a mass of stops is said beforehand", () => {
  const nothing = specOf({ z: "MachineID=site-9" });
  assert.equal(previewMachine(nothing, before, canary, sha256).massStop?.of, 3);
});
