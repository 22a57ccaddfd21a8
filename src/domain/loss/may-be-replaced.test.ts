import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository, sha256, shownFindings } from "../../../test/compile-repository.ts";
import type { Machine } from "../cluster/machine.ts";
import type { MachineId, UnitName } from "../names.ts";
import { placeUnits } from "../placement/place-units.ts";

const HEAD = "apiVersion: fleet/v1\ncluster: test\n";
const unit = (options = "") => `[Service]\nExecStart=/bin/true\n[X-Fleet]\n${options}\n`;
const ids = [1, 2, 3].map((number) => String(number).padStart(32, "0") as MachineId);

interface Case {
  readonly says: string;
  readonly options: string;
  readonly manifest?: string;
  /** Of the machine it is on. */
  readonly machine: Partial<Machine>;
  readonly reason: string;
}

const LOST = { presence: "lost" } as const;

const CASES: readonly Case[] = [
  { says: "a lost unit moves", options: "", machine: LOST, reason: "moved lost" },
  { says: "one that waits does not", options: "Replace=no", machine: LOST, reason: "awaits-machine" },
  {
    says: "the manifest may say it",
    options: "",
    manifest: "defaults: { replace: no }\n",
    machine: LOST,
    reason: "awaits-machine",
  },
  {
    says: "one unit may be none of all that wait",
    options: "",
    manifest: "defaults: { replace: no }\nunits: { a.service: { replace: yes } }\n",
    machine: LOST,
    reason: "moved lost",
  },
  {
    says: "a drain moves it: that is no loss",
    options: "Replace=no",
    machine: { drain: true },
    reason: "moved drained",
  },
  {
    says: "also where the machine is lost besides",
    options: "Replace=no",
    machine: { ...LOST, drain: true },
    reason: "moved drained",
  },
  {
    says: "before the cluster's grace is over it stays",
    options: "",
    machine: { ...LOST, graces: { cluster: false, ownMs: 15_000 } },
    reason: "stayed",
  },
  {
    says: "with a shorter one of its own it has gone by then",
    options: "Replace=after=15s",
    machine: { ...LOST, graces: { cluster: false, ownMs: 15_000 } },
    reason: "moved lost",
  },
  {
    says: "and not before that is over",
    options: "Replace=after=15001ms",
    machine: { ...LOST, graces: { cluster: false, ownMs: 15_000 } },
    reason: "stayed",
  },
  {
    says: "with a longer one it stays although the cluster's is over",
    options: "Replace=after=10m",
    machine: { ...LOST, graces: { cluster: true, ownMs: 60_000 } },
    reason: "stayed",
  },
  {
    says: "a plan without that machine tells what becomes of it in the end",
    options: "Replace=after=24h",
    machine: LOST,
    reason: "moved lost",
  },
  { says: "one that comes and goes keeps what it has", options: "", machine: { flapping: true }, reason: "stayed" },
];

for (const { says, options, manifest = "", machine, reason } of CASES) {
  test(says, () => {
    const { spec, diagnostics } = compileRepository({
      "fleet.yaml": HEAD + manifest,
      "units/a.service": unit(options),
    });
    assert.ok(spec !== null, JSON.stringify(diagnostics));
    const machines = [machineOf(0, machine), machineOf(1)];
    const current = new Map([["a.service" as UnitName, [ids[0]!]]]);
    const { placements } = placeUnits({ spec, machines, current, preferred: new Map(), sha256 });
    const found = placements[0]!.reason;
    assert.equal(found.code === "moved" ? `moved ${found.because.code}` : found.code, reason);
  });
}

test("nothing moves back to a machine that returned, however empty it is", () => {
  const files = Object.fromEntries(["a", "b", "c"].map((name) => [`units/${name}.service`, unit()]));
  const { spec } = compileRepository({ "fleet.yaml": HEAD, ...files });
  const place = (machines: readonly Machine[], current: ReadonlyMap<UnitName, readonly MachineId[]>) => {
    const { placements } = placeUnits({ spec: spec!, machines, current, preferred: new Map(), sha256 });
    return new Map(placements.map((one) => [one.unit, [one.machine]]));
  };
  const there = [0, 1, 2].map((index) => machineOf(index));
  const first = place(there, new Map());
  const moved = place([machineOf(0, LOST), machineOf(1), machineOf(2)], first);
  assert.notDeepEqual(moved, first);
  assert.deepEqual(place(there, moved), moved);
});

test("to a machine that comes and goes nothing new comes", () => {
  const { spec } = compileRepository({ "fleet.yaml": HEAD, "units/a.service": unit() });
  const machines = [machineOf(0, { flapping: true })];
  const { placements, unplaced } = placeUnits({
    spec: spec!,
    machines,
    current: new Map(),
    preferred: new Map(),
    sha256,
  });
  assert.deepEqual(placements, []);
  assert.deepEqual([unplaced[0]!.kind, unplaced[0]!.because[0]!.reason.code], ["waiting", "flapping"]);
});

test("what is not said, or said as it is anyway, leaves the spec as it was", () => {
  const hash = (manifest: string) =>
    compileRepository({ "fleet.yaml": HEAD + manifest, "units/a.service": unit() }).spec!.specHash;
  const plain = hash("");
  assert.equal(hash("loss: { outageAt: 30%, flapHoldMax: 4h, lossWindow: 10s }\n"), plain);
  assert.equal(hash("defaults: { replace: yes }\n"), plain);
  assert.notEqual(hash("loss: { outageAt: 31% }\n"), plain);
  assert.notEqual(hash("defaults: { replace: no }\n"), plain);
  assert.notEqual(hash("defaults: { replace: after=60s }\n"), plain, "the cluster's grace may change");
});

const REFUSED: readonly (readonly [says: string, manifest: string, options: string, finding: RegExp])[] = [
  ["a word that is none", "", "Replace=never", /x-fleet-value Replace=never/],
  ["a unit's name, meant for Replaces=", "", "Replace=b.service", /x-fleet-value Replace=b\.service/],
  [
    "two answers",
    "defaults: { replace: no }\n",
    "Replace=after=1h",
    /option-contradiction replace: no, while a\.service/,
  ],
  ["thresholds that cannot be", "loss: { outageWindow: 5s }\n", "", /loss-contradiction outageWindow 5 s/],
];

for (const [says, manifest, options, finding] of REFUSED) {
  test(`refused: ${says}`, () => {
    const { diagnostics } = compileRepository({ "fleet.yaml": HEAD + manifest, "units/a.service": unit(options) });
    assert.match(shownFindings(diagnostics).join("\n"), finding);
  });
}

function machineOf(index: number, more: Partial<Machine> = {}): Machine {
  const id = ids[index]!;
  const rest = { address: "", metadata: {}, drain: false, cordon: false, presenceRevision: 1, admitted: true };
  return { id, name: `m${index}`, presence: "present", ...rest, ...more };
}
