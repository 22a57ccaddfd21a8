import assert from "node:assert/strict";
import { test } from "node:test";
import { specOf } from "../../../test/property/generators/cluster.ts";
import type { UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { brokenReferences } from "./broken-references.ts";
import type { Change } from "./plan.ts";

const CASES: readonly [string, string, readonly string[], readonly string[]][] = [
  ["a requirement", "[Unit]\nRequires=db.service\n", ["db.service"], ["web.service Requires 2"]],
  [
    "each directive that names it, once",
    "[Unit]\nAfter=net.target db.service db.service\nBindsTo=db.service\n",
    ["db.service"],
    ["web.service After 2", "web.service BindsTo 3"],
  ],
  ["another unit of a similar name is not meant", "[Unit]\nAfter=mydb.service db.service.d\n", ["db.service"], []],
  ["a mention in a description is none", "[Unit]\nDescription=needs db.service\n", ["db.service"], []],
  ["a unit that stays breaks nothing", "[Unit]\nRequires=db.service\n", [], []],
];

for (const [says, text, removed, found] of CASES) {
  test(`what a removal leaves without a target: ${says}`, () => {
    const references = brokenReferences(removed.map(removal), specWith(text));
    assert.deepEqual(
      references.map(({ by, key, at }) => `${by} ${key} ${at.line}`),
      found,
    );
  });
}

function removal(unit: string): Change {
  return {
    action: "remove",
    effect: "stop",
    unit: unit as UnitName,
    from: null,
    to: null,
    reason: { code: "gone-from-commit" },
  };
}

function specWith(text: string): ClusterSpec {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  const spec = specOf([
    { name: "web.service", group: 0, global: false, goal: "launched", ...constraints, move: "auto", text: "" },
  ]);
  const units = spec.units.map((unit) => ({ ...unit, fragment: { path: "units/web.service", text } }));
  return { ...spec, units };
}
