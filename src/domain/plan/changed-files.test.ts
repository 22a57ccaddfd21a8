import assert from "node:assert/strict";
import { test } from "node:test";
import { specOf } from "../../../test/property/generators/cluster.ts";
import type { ClusterSpec, SpecDropin, SpecUnit } from "../spec/cluster-spec.ts";
import { changedFiles } from "./changed-files.ts";

type Change = (unit: SpecUnit) => Partial<SpecUnit>;

const environment = (text: string): SpecDropin => ({ path: "fleet.yaml", name: "90-fleet-environment.conf", text });
const base = (unit: SpecUnit): SpecUnit => ({ ...unit, dropins: [environment(`of ${unit.name}`)] });
const spec = withUnits(["web@1.service", "web@2.service"], base);

const CASES: readonly [string, ClusterSpec, number][] = [
  ["nothing, where nothing is other", spec, 0],
  [
    "a template once, however many units come of it",
    changed(() => ({ fragment: { path: "units/web@.service", text: "new" } })),
    3,
  ],
  [
    "a file that is new",
    changed((unit) => ({ dropins: [...unit.dropins, dropin("units/web@.service.d/10.conf")] })),
    1,
  ],
  ["files that are gone", { ...spec, units: [] }, 3],
  [
    "the manifest once, where it writes one unit's environment otherwise",
    changed((unit) => ({ dropins: [environment(unit.name === "web@1.service" ? "new" : `of ${unit.name}`)] })),
    1,
  ],
  [
    "a template that travels along",
    changed((unit) => ({
      companions: [{ name: unit.name, fragment: { path: "units/notify@.service", text: "" }, dropins: [] }],
    })),
    1,
  ],
];

for (const [says, after, count] of CASES) {
  test(`files that change: ${says}`, () => {
    assert.equal(changedFiles(spec, after), count);
  });
}

function changed(change: Change): ClusterSpec {
  return withUnits(["web@1.service", "web@2.service"], (unit) => ({ ...base(unit), ...change(base(unit)) }));
}

function withUnits(names: readonly string[], change: (unit: SpecUnit) => SpecUnit): ClusterSpec {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  const made = specOf(
    names.map((name, group) => ({
      name,
      group,
      global: false,
      goal: "launched",
      ...constraints,
      move: "auto",
      text: "",
    })),
  );
  return { ...made, units: made.units.map(change) };
}

function dropin(path: string): SpecDropin {
  return { path, name: path.replace(/^.*\//, ""), text: "" };
}
