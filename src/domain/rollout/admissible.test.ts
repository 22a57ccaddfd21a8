import assert from "node:assert/strict";
import { test } from "node:test";
import { machineId, specOf, type UnitSketch } from "../../../test/property/generators/cluster.ts";
import { sha256 } from "../../adapters/sha256.ts";
import type { Machine } from "../cluster/machine.ts";
import type { UnitName } from "../names.ts";
import type { PlacedSide } from "../placement/placed-now.ts";
import type { Placement } from "../placement/placement.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { admissible } from "./admissible.ts";
import { baseVersions } from "./base-versions.ts";

type Sketch = Partial<UnitSketch> & { readonly name: string };

interface Case {
  readonly old: readonly Sketch[];
  readonly now: readonly Sketch[];
  /** `unit@machine version`, of m0, m1, …; a machine of old versions unless it says `new`. */
  readonly before: readonly string[];
  readonly mixture: readonly string[];
  readonly is: readonly string[];
  /** `unit@machine code` */
  readonly out?: readonly string[];
  readonly machines?: readonly Partial<Machine>[];
}

const cpu = (cpuMilli: number) => ({ requests: { cpuMilli, memoryBytes: 0 } });

const CASES: Readonly<Record<string, Case>> = {
  "whom somebody minds who stays waits where it is, also where that is lost": {
    old: [{ name: "red", conflicts: ["blue.service"] }, { name: "blue" }],
    now: [{ name: "red", conflicts: ["blue.service"] }, { name: "blue" }],
    before: ["red@m1", "blue@m0"],
    mixture: ["red@m1", "blue@m1"],
    is: ["blue@m0", "red@m1"],
    out: ["blue@m1 conflict"],
  },
  "one that is nowhere is not started there": {
    old: [{ name: "red" }],
    now: [{ name: "blue", replaces: ["red.service"] }, { name: "red" }],
    before: ["red@m0"],
    mixture: ["blue@m0 new", "red@m0"],
    is: ["red@m0"],
    out: ["blue@m0 conflict"],
  },
  "the word of the version that is there counts, and not what the commit says of another": {
    old: [{ name: "red", conflicts: ["blue.service"] }, { name: "blue" }],
    now: [{ name: "red" }, { name: "blue" }],
    before: ["red@m0", "blue@m1"],
    mixture: ["red@m0", "blue@m0 new"],
    is: ["blue@m1", "red@m0"],
    out: ["blue@m0 conflict"],
  },
  "where the one that is there changes along with it, nobody minds any more": {
    old: [{ name: "red", conflicts: ["blue.service"] }, { name: "blue" }],
    now: [{ name: "red" }, { name: "blue" }],
    before: ["red@m0", "blue@m1"],
    mixture: ["red@m0 new", "blue@m0 new"],
    is: ["blue@m0 new", "red@m0 new"],
  },
  "one that would mind in its new version whom gates keep there stays as it is": {
    old: [{ name: "red" }, { name: "blue" }],
    now: [{ name: "red", conflicts: ["blue.service"] }],
    before: ["red@m0", "blue@m0"],
    mixture: ["red@m0 new", "blue@m0"],
    is: ["blue@m0", "red@m0"],
    out: ["red@m0 conflict"],
  },
  "a group waits as a whole": {
    old: [{ name: "a", group: 1 }, { name: "b", group: 1 }, { name: "c" }],
    now: [
      { name: "a", group: 1 },
      { name: "b", group: 1, conflicts: ["c.service"] },
    ],
    before: ["a@m0", "b@m0", "c@m1"],
    mixture: ["a@m1 new", "b@m1 new", "c@m1"],
    is: ["a@m0", "b@m0", "c@m1"],
    out: ["a@m1 conflict", "b@m1 conflict"],
  },
  "who wants the place of one that waits, waits": {
    old: [{ name: "a", conflicts: ["b.service"] }, { name: "b", conflicts: ["c.service"] }, { name: "c" }],
    now: [{ name: "b", conflicts: ["c.service"] }, { name: "c" }],
    before: ["a@m1", "b@m0", "c@m2"],
    mixture: ["a@m1", "b@m1 new", "c@m0 new"],
    is: ["a@m1", "b@m0", "c@m2"],
    out: ["b@m1 conflict", "c@m0 conflict"],
  },
  "two that change places do": {
    old: [{ name: "a", conflicts: ["b.service"] }, { name: "b" }],
    now: [{ name: "a", conflicts: ["b.service"] }, { name: "b" }],
    before: ["a@m0", "b@m1"],
    mixture: ["a@m1", "b@m0"],
    is: ["a@m1", "b@m0"],
  },
  "replicas that are kept count, on a machine and in a zone": {
    old: [
      { name: "v@1", maxPerMachine: 1 },
      { name: "v@2", maxPerMachine: 1 },
      { name: "w@1", spread: { key: "zone", hard: true } },
      { name: "w@2", spread: { key: "zone", hard: true } },
    ],
    now: [
      { name: "v@2", maxPerMachine: 1 },
      { name: "w@2", spread: { key: "zone", hard: true } },
    ],
    before: ["v@1@m0", "v@2@m1", "w@1@m0"],
    mixture: ["v@1@m0", "v@2@m0 new", "w@1@m0", "w@2@m2 new"],
    is: ["v@1@m0", "v@2@m1", "w@1@m0"],
    out: ["v@2@m0 max-per-machine", "w@2@m2 spread"],
    machines: [{ metadata: { zone: "x" } }, { metadata: { zone: "y" } }, { metadata: { zone: "x" } }],
  },
  "what is kept needs its room, and whoever is there already needs none": {
    old: [
      { name: "a", ...cpu(2) },
      { name: "b", ...cpu(1) },
      { name: "c", ...cpu(1) },
    ],
    now: [
      { name: "b", ...cpu(2) },
      { name: "c", ...cpu(3) },
    ],
    before: ["a@m0", "b@m1", "c@m0"],
    mixture: ["a@m0", "b@m0 new", "c@m0 new"],
    is: ["a@m0", "b@m1", "c@m0 new"],
    out: ["b@m0 no-room"],
    machines: [{ capacity: { cpuMilli: 4, memoryBytes: 0 } }, {}],
  },
};

for (const [sentence, one] of Object.entries(CASES)) {
  test(sentence, () => {
    const [base, spec] = [specFrom(one.old, "old"), specFrom(one.now, "new")];
    const machines = (one.machines ?? [{}, {}, {}]).map(machineFrom);
    const placementOf = (text: string): Placement => {
      const [place, version = "old"] = text.split(" ") as [string, string?];
      const at = place.lastIndexOf("@");
      const [unit, machine] = [`${place.slice(0, at)}.service` as UnitName, machineId(Number(place.slice(at + 2)))];
      const { hash } = baseVersions(version === "new" ? spec : base, machines, sha256).on(unit, machine)!;
      return { unit, machine, hash, goal: "launched", reason: { code: "stayed" } };
    };
    const textOf = ({ unit, machine, hash }: Placement) => {
      const isNew = baseVersions(spec, machines, sha256).on(unit, machine)?.hash === hash;
      return `${unit.replace(".service", "")}@m${Number.parseInt(machine, 16)}${isNew ? " new" : ""}`;
    };
    const before = new Map(
      one.before.map(placementOf).map(({ unit, ...side }): [UnitName, readonly PlacedSide[]] => [unit, [side]]),
    );
    const mixture = one.mixture.map(placementOf);
    const found = admissible({ spec, released: null, base, before, mixture, machines, sha256 });
    assert.deepEqual(found.placements.map(textOf), one.is);
    assert.deepEqual(
      found.keptOut.map(
        ({ unit, machine, because }) =>
          `${unit.replace(".service", "")}@m${Number.parseInt(machine, 16)} ${because.code}`,
      ),
      one.out ?? [],
    );
    for (const replica of found.keptOut) assert.ok(found.isKeptOut(replica));
  });
}

/** Every unit in a group of its own, unless it says another. */
function specFrom(sketches: readonly Sketch[], text: string): ClusterSpec {
  return specOf(
    sketches.map((sketch, index) => ({
      ...{ group: 100 + index, global: false, goal: "launched", machineId: null, machineMetadata: [] },
      ...{ conflicts: [], replaces: [], move: "auto", text },
      ...sketch,
      name: `${sketch.name}.service`,
    })),
  );
}

function machineFrom(machine: Partial<Machine>, index: number): Machine {
  return {
    ...{ id: machineId(index), name: `m${index}`, address: "", metadata: {}, drain: false, cordon: false },
    ...{ presence: "present", presenceRevision: 1, admitted: true },
    ...machine,
  };
}
