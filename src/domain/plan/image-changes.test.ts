import assert from "node:assert/strict";
import { test } from "node:test";
import { specOf } from "../../../test/property/generators/cluster.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { imageChanges } from "./image-changes.ts";
import type { Plan } from "./plan.ts";

const DIGEST = `x@sha256:${"a".repeat(64)}`;

/** Quadlets of these names, with these texts. */
function spec(texts: Readonly<Record<string, string>>): ClusterSpec {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  const sketches = Object.keys(texts).map((name, group) => {
    return { name, group, global: false, goal: "launched" as const, move: "auto" as const, text: "", ...constraints };
  });
  const base = specOf(sketches);
  const units = base.units.map((unit) => {
    return { ...unit, kind: "quadlet" as const, fragment: { path: unit.name, text: texts[unit.name]! } };
  });
  return { ...base, units };
}

const changesOf = (...names: string[]) =>
  ({ changes: names.map((unit) => ({ unit })) }) as unknown as Pick<Plan, "changes">;
const image = (text: string) => `[Container]\nImage=${text}\n`;

const CASES: readonly [string, Record<string, string>, Record<string, string> | null, string[]][] = [
  ["another tag", { "a.container": image("x:2") }, { "a.container": image("x:1") }, ["a.container x:1 x:2 false"]],
  ["a new unit", { "a.container": image("x:2") }, {}, ["a.container null x:2 false"]],
  ["a unit that goes", {}, { "a.container": image("x:1") }, ["a.container x:1 null false"]],
  ["a digest pins", { "a.container": image(DIGEST) }, { "a.container": image("x") }, [`a.container x ${DIGEST} true`]],
  ["nothing is known of before", { "a.container": image("x:2") }, null, ["a.container null x:2 false"]],
  ["something else changes", { "a.container": `${image("x:1")}User=a\n` }, { "a.container": image("x:1") }, []],
  [
    "an image that another quadlet builds",
    { "a.container": image("x.build") },
    { "a.container": image("y.build") },
    [],
  ],
];

for (const [says, now, before, expected] of CASES) {
  test(`image changes: ${says}`, () => {
    const found = imageChanges(changesOf("a.container"), spec(now), before === null ? null : spec(before));
    assert.deepEqual(
      found.map(({ unit, from, to, pinned }) => `${unit} ${from} ${to} ${pinned}`),
      expected,
    );
  });
}

test("what the plan does not change is not told", () => {
  assert.deepEqual(imageChanges(changesOf(), spec({ "a.container": image("x:2") }), spec({})), []);
});
