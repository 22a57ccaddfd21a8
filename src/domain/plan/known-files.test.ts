import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf } from "../../../test/property/generators/cluster.ts";
import type { UnitHash, UnitName } from "../names.ts";
import { unitOnMachine } from "../spec/unit-on-machine.ts";
import { knownFiles } from "./known-files.ts";

const m0 = machineId(0);
const sha256 = (text: string) => text;
const web = "web.service" as UnitName;
const [old, next] = ["one", "two"].map(specWith) as [ReturnType<typeof specWith>, ReturnType<typeof specWith>];
const files = knownFiles([next, old], new Map([[m0, "m0"]]), sha256);
const hashOn = (machine: string | null, spec = old) => unitOnMachine(spec.units[0]!, machine, spec, sha256).hash;

const CASES: readonly [string, UnitName, UnitHash, RegExp | null][] = [
  ["the release's text by its hash", web, hashOn("m0"), /bin\/one/],
  ["the commit's text by its hash", web, hashOn("m0", next), /bin\/two/],
  ["a text older than both is not guessed", web, "0".repeat(64) as UnitHash, null],
  ["a unit neither has is not known", "db.service" as UnitName, hashOn("m0"), null],
  ["another machine's variant is not this machine's", web, hashOn(null), null],
];

for (const [says, unit, hash, text] of CASES) {
  test(says, () => {
    const found = files(unit, m0, hash);
    if (text === null) assert.equal(found, null);
    else assert.match(found![0]!.text, text);
  });
}

/** m0 has a drop-in of its own, so its hash is its own. */
function specWith(text: string) {
  const constraints = { machineId: null, machineMetadata: [], conflicts: [], replaces: [] };
  const spec = specOf([{ name: web, group: 0, global: false, goal: "launched", ...constraints, move: "auto", text }]);
  const dropins = [{ unit: web, path: "machines/m0.conf", name: "m0.conf", text: "[Unit]\n" }];
  const machine = { key: "m0", match: null, id: m0, metadata: {}, drain: false, cordon: false, dropins };
  return { ...spec, machines: [machine] };
}
