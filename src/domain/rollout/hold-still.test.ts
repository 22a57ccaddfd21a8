import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256 } from "../../../test/compile-repository.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import { baseVersions } from "./base-versions.ts";
import { changedReplicas, leftToChange } from "./changed-replicas.ts";
import { holdStill } from "./hold-still.ts";

const [M0, M1] = ["0".repeat(32) as MachineId, "1".repeat(32) as MachineId];
const machine = (id: MachineId, changes: Partial<Machine> = {}): Machine => ({
  ...{ id, name: id === M0 ? "m0" : "m1", address: "", metadata: {}, drain: false, cordon: false },
  ...{ presence: "present", presenceRevision: 1, admitted: true },
  ...changes,
});
const BOTH = [machine(M0), machine(M1)];
const specOf = (files: Readonly<Record<string, string>>) =>
  compileRepository({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
    ...Object.fromEntries(
      Object.entries(files).map(([name, run]) => [`units/${name}.service`, `[Service]\nExecStart=/bin/${run}\n`]),
    ),
  }).spec!;

/** `web` and `gone` are of before, `web` has changed, `new` has come. */
const OLD = specOf({ web: "web 1", gone: "gone" });
const NEW = specOf({ web: "web 2", new: "new" });
const [WEB, GONE, ADDED] = ["web.service", "gone.service", "new.service"] as UnitName[] as [
  UnitName,
  UnitName,
  UnitName,
];
const hash = (spec: typeof OLD, unit: UnitName) => baseVersions(spec, BOTH, sha256).on(unit, M0)!.hash;
const side = (spec: typeof OLD, unit: UnitName, at: MachineId, goal: PlacedSide["goal"] = "launched"): PlacedSide => ({
  ...{ machine: at, hash: hash(spec, unit), goal },
});
const wanted = (unit: UnitName, at: MachineId): Placement => ({
  ...{ unit, machine: at, hash: hash(NEW, unit), goal: "launched", reason: { code: "stayed" } },
});

interface Case {
  readonly before: readonly (readonly [UnitName, PlacedSide])[];
  readonly wanted: readonly Placement[];
  readonly machines?: readonly Machine[];
  readonly base?: typeof OLD | null | "unknown";
  /** Unit, machine, and whose version it has. */
  readonly is: readonly string[];
}

const CASES: Readonly<Record<string, Case>> = {
  "what would change stays as it is": {
    before: [[WEB, side(OLD, WEB, M0)]],
    wanted: [wanted(WEB, M0)],
    is: ["web.service m0 old"],
  },
  "what has changed stays so": {
    before: [[WEB, side(NEW, WEB, M0)]],
    wanted: [wanted(WEB, M0)],
    is: ["web.service m0 new"],
  },
  "what would move because the release says so stays where it is": {
    before: [[WEB, side(OLD, WEB, M0)]],
    wanted: [wanted(WEB, M1)],
    is: ["web.service m0 old"],
  },
  "what was on a lost machine comes anew as it was before the release": {
    before: [[WEB, side(NEW, WEB, M0)]],
    wanted: [wanted(WEB, M1)],
    machines: [machine(M0, { presence: "lost" }), machine(M1)],
    is: ["web.service m1 old"],
  },
  "so does what leaves a drained machine": {
    before: [[WEB, side(OLD, WEB, M0)]],
    wanted: [wanted(WEB, M1)],
    machines: [machine(M0, { drain: true }), machine(M1)],
    is: ["web.service m1 old"],
  },
  "and what was told to leave": {
    before: [[WEB, side(OLD, WEB, M0, "inactive")]],
    wanted: [wanted(WEB, M1)],
    is: ["web.service m1 old"],
  },
  "where what was before cannot be read it comes as the release has it": {
    before: [[WEB, side(NEW, WEB, M0)]],
    wanted: [wanted(WEB, M1)],
    machines: [machine(M0, { presence: "lost" }), machine(M1)],
    base: "unknown",
    is: ["web.service m1 new"],
  },
  "what is new is not started": { before: [], wanted: [wanted(ADDED, M0)], is: [] },
  "but comes back where it was": {
    before: [[ADDED, side(NEW, ADDED, M0)]],
    wanted: [wanted(ADDED, M1)],
    machines: [machine(M0, { presence: "lost" }), machine(M1)],
    is: ["new.service m1 new"],
  },
  "what the release has no more stays": {
    before: [[GONE, side(OLD, GONE, M1)]],
    wanted: [],
    is: ["gone.service m1 old"],
  },
};

for (const [sentence, { before, wanted: placements, machines = BOTH, base = OLD, is }] of Object.entries(CASES)) {
  test(sentence, () => {
    const sides = new Map(before.map(([unit, one]) => [unit, [one]]));
    const held = holdStill({
      ...{ spec: NEW, base, before: sides, wanted: placements, machines, isStill: () => true, sha256 },
    });
    const version = ({ unit, hash: placed }: Placement) =>
      NEW.units.some(({ name }) => name === unit) && placed === hash(NEW, unit) ? "new" : "old";
    assert.deepEqual(
      held.map((one) => `${one.unit} ${one.machine === M0 ? "m0" : "m1"} ${version(one)}`),
      is,
    );
  });
}

test("where it does not stand still everything is as it is wanted", () => {
  const before = new Map([[WEB, [side(OLD, WEB, M0)]]]);
  const input = { spec: NEW, base: OLD, before, wanted: [wanted(WEB, M0)], machines: BOTH, sha256 };
  assert.deepEqual(holdStill({ ...input, isStill: () => false }), input.wanted);
});

test("what was changed is what has the release's version and had another, and nobody's who need not notice", () => {
  const quiet = specOf({ web: "web 1\nRestartSec=7", gone: "gone" });
  const changedTo = (spec: typeof OLD, from: typeof OLD | null | "unknown", placed: readonly PlacedSide[]) =>
    changedReplicas({ spec, from, before: new Map([[WEB, placed]]), machines: BOTH, sha256 }).length;
  assert.equal(changedTo(NEW, OLD, [side(NEW, WEB, M0)]), 1);
  assert.equal(changedTo(NEW, OLD, [side(OLD, WEB, M0)]), 0, "its wave has not come");
  assert.equal(changedTo(NEW, NEW, [side(NEW, WEB, M0)]), 0, "it is what it was");
  assert.equal(changedTo(quiet, OLD, [side(quiet, WEB, M0)]), 0, "no process notices");
  for (const unknown of [null, "unknown"] as const)
    assert.equal(changedTo(NEW, unknown, [side(NEW, WEB, M0)]), 1, "nothing is known to have been there");
});

test("left is what has another version, is nowhere, or is to go; where a unit is says nothing", () => {
  const left = (before: readonly (readonly [UnitName, PlacedSide])[]) =>
    leftToChange({ spec: NEW, machines: BOTH, sha256 }, new Map(before.map(([unit, one]) => [unit, [one]])), [
      wanted(ADDED, M1),
      wanted(WEB, M0),
    ]).map(({ unit, machine: at }) => `${unit} ${at === M0 ? "m0" : "m1"}`);
  assert.deepEqual(left([]), ["new.service m1", "web.service m0"]);
  assert.deepEqual(
    left([
      [WEB, side(NEW, WEB, M1)],
      [ADDED, side(NEW, ADDED, M1)],
    ]),
    [],
  );
  assert.deepEqual(
    left([
      [WEB, side(OLD, WEB, M1)],
      [ADDED, side(NEW, ADDED, M1)],
      [GONE, side(OLD, GONE, M1)],
    ]),
    ["gone.service m1", "web.service m1"],
  );
});
