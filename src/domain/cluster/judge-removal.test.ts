import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { MachineId, UnitHash, UnitName } from "../names.ts";
import type { Assignment, ClusterSnapshot, MachineSet, Member } from "./cluster-snapshot.ts";
import { emptySnapshot } from "./empty-snapshot.ts";
import { judgeRemoval, losesSomething } from "./judge-removal.ts";

const SERVICE = "[Service]\nExecStart=/bin/sleep infinity\n";
const [M1, M2] = ["1", "2"].map((digit) => digit.repeat(32) as MachineId) as [MachineId, MachineId];
const HASH = "h" as UnitHash;

function member(id: MachineId, name: string, present: boolean): Member {
  const who = { address: "", metadata: {}, bootId: "", version: "", joined: "", acceptedSeq: 1 };
  return { ...who, id, name, present, presenceRevision: present ? 3 : 0 };
}

/** m1 is away and had all of them. */
function removal(units: Readonly<Record<string, string>>, manifest = "", had = Object.keys(units)) {
  const files = Object.fromEntries(
    Object.entries(units).map(([name, text]) => [`units/${name}.service`, SERVICE + text]),
  );
  const { spec } = compileRepository({ "fleet.yaml": `apiVersion: fleet/v1\ncluster: test\n${manifest}`, ...files });
  assert.ok(spec !== null);
  const placed = had.map((name) => ({ unit: `${name}.service` as UnitName, hash: HASH, goal: "launched" as const }));
  const globals = new Set(spec.units.filter(({ options }) => options.global).map(({ name }) => name));
  const sets: MachineSet[] = [{ machine: M1, header: null, headerModRevision: 0, placements: placed }];
  const assignments = placed
    .filter(({ unit }) => !globals.has(unit))
    .map((one): Assignment => ({ ...one, machine: M1, reason: "", modRevision: 2 }));
  const gone = member(M1, "m1", false);
  const members = [gone, member(M2, "m2", true)];
  const snapshot: ClusterSnapshot = { ...emptySnapshot, members, sets, assignments };
  return { of: judgeRemoval(gone, spec, snapshot, sha256), without: judgeRemoval(gone, null, snapshot, sha256) };
}

test("what fits elsewhere goes there, and nothing is lost", () => {
  const { of } = removal({ web: "" });
  assert.deepEqual(of.units, [{ unit: "web.service", becomes: { code: "moves", to: M2 }, data: [] }]);
  assert.equal(of.listed, null);
  assert.equal(losesSomething(of), false);
});

test("what keeps data starts anew without it, where it never moved before", () => {
  const { of } = removal({ db: "StateDirectory=db\n" });
  assert.deepEqual(of.units, [{ unit: "db.service", becomes: { code: "moves", to: M2 }, data: ["StateDirectory=db"] }]);
  assert.equal(losesSomething(of), true);
});

test("what no other machine may have runs nowhere", () => {
  const { of } = removal({ pinned: "[X-Fleet]\nMachineID=m1\n" });
  assert.deepEqual(of.units, [{ unit: "pinned.service", becomes: { code: "nowhere" }, data: [] }]);
  assert.equal(losesSomething(of), true);
});

test("globals are on the others, and what the commit has no more was to go anyway", () => {
  const { of } = removal({ everywhere: "[X-Fleet]\nGlobal=true\n" }, "", ["everywhere", "old"]);
  assert.deepEqual(
    of.units.map(({ unit, becomes }) => [unit, becomes.code]),
    [
      ["everywhere.service", "global"],
      ["old.service", "gone"],
    ],
  );
  assert.equal(losesSomething(of), false);
});

test("a machine the commit lists comes back as what it was", () => {
  const machines = `machines: { nas: { id: "${M1}" }, m2: {} }\n`;
  assert.equal(removal({ web: "" }, machines).of.listed, "nas");
  assert.equal(removal({ web: "" }, "machines: { m1: {}, m2: {} }\n").of.listed, "m1");
  assert.equal(removal({ web: "" }, "machines: { m2: {} }\n").of.listed, null);
});

test("without the commit what becomes of its units is not known, and may be a loss", () => {
  const { without } = removal({ web: "" });
  assert.deepEqual(without.units, [{ unit: "web.service", becomes: { code: "unknown" }, data: [] }]);
  assert.equal(losesSomething(without), true);
});
