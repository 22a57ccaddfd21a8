import assert from "node:assert/strict";
import { test } from "node:test";
import { compileRepository } from "../../test/compile-repository.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { PlacedUnit } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitHash, UnitName } from "../domain/names.ts";
import { unitOnMachine } from "../domain/spec/unit-on-machine.ts";
import { AgentFiles } from "./agent-files.ts";
import { findWantedUnits } from "./find-wanted-units.ts";

const MACHINE = { machine: "1".repeat(32) as MachineId, name: "host" };
const A = "a.service" as UnitName;

function specOf(text: string, manifest = "") {
  const { spec, diagnostics } = compileRepository({
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: prod\n${manifest}`,
    "units/a.service": `[Service]\nExecStart=/bin/echo ${text}\n`,
    "overlay/10.conf": "[Service]\nEnvironment=HERE=yes\n",
  });
  if (spec === null) throw new Error(JSON.stringify(diagnostics));
  return spec;
}

const placedAs = (spec: ReturnType<typeof specOf>, machineName: string | null = null): PlacedUnit => ({
  unit: A,
  hash: unitOnMachine(spec.units[0]!, machineName, spec, sha256).hash,
  goal: "launched",
});

function world() {
  const disk = new MemoryFileStore();
  const find = async (placements: readonly PlacedUnit[], spec: ReturnType<typeof specOf> | null) => {
    const { wanted, missing } = await findWantedUnits(placements, MACHINE, spec, new AgentFiles(disk), sha256);
    return {
      texts: wanted.map(({ files }) => files[0]?.text),
      missing: [...missing].map(([name, { code }]) => [name, code]),
    };
  };
  return { disk, find };
}

test("a text of the accepted release is found, and again without the release, after a power loss", async () => {
  const { disk, find } = world();
  const spec = specOf("one");
  const expected = { texts: ["[Service]\nExecStart=/bin/echo one\n"], missing: [] };
  assert.deepEqual(await find([placedAs(spec)], spec), expected);
  disk.powerOff();
  assert.deepEqual(await find([placedAs(spec)], null), expected);
});

test("a text of a release before is still the one that is wanted while its hash is", async () => {
  const { find } = world();
  const [old, current] = [specOf("one"), specOf("two")];
  await find([placedAs(old)], old);
  assert.deepEqual((await find([placedAs(old)], current)).texts, ["[Service]\nExecStart=/bin/echo one\n"]);
});

test("a text of the release that a rollout goes back to is found, with only the units that are missing asked for, and kept", async () => {
  const disk = new MemoryFileStore();
  const [old, current] = [specOf("one"), specOf("two")];
  const asked: string[][] = [];
  const earlier = async (units: ReadonlySet<UnitName>) => {
    asked.push([...units]);
    return old;
  };
  const find = () => findWantedUnits([placedAs(old)], MACHINE, current, new AgentFiles(disk), sha256, earlier);
  for (const _again of [1, 2]) {
    const { wanted, missing } = await find();
    assert.deepEqual(
      [wanted.map(({ files }) => files[0]?.text), missing.size],
      [["[Service]\nExecStart=/bin/echo one\n"], 0],
    );
  }
  assert.deepEqual(asked, [[A]]);
  const evil = await findWantedUnits(
    [placedAs(specOf("evil"))],
    MACHINE,
    current,
    new AgentFiles(disk),
    sha256,
    earlier,
  );
  assert.deepEqual(
    [...evil.missing.values()].map(({ code }) => code),
    ["text-unavailable"],
  );
});

test("a hash no accepted release held is not run, whoever wrote it, and stops nothing else", async () => {
  const { find } = world();
  const spec = specOf("one");
  const cases: readonly PlacedUnit[] = [
    placedAs(specOf("evil")),
    { ...placedAs(spec), unit: "other.service" as UnitName },
    { ...placedAs(spec), hash: "../../../../tmp/evil" as UnitHash },
  ];
  for (const placed of cases) {
    assert.deepEqual(await find([placed], spec), { texts: [], missing: [[placed.unit, "text-unavailable"]] });
  }
});

test("what is to be let go in a version that never came here is let go as it is", async () => {
  const { disk, find } = world();
  const spec = specOf("one");
  await find([placedAs(spec)], spec);
  const { hash } = placedAs(spec);
  const owned = { service: A, files: [A], onDisk: hash, loaded: hash, started: hash };
  await new AgentFiles(disk).writeOwned(new Map([[A, owned]]));
  const newer = { ...placedAs(specOf("missed")), goal: "inactive" as const };
  assert.deepEqual(await find([newer], spec), { texts: ["[Service]\nExecStart=/bin/echo one\n"], missing: [] });
  assert.deepEqual((await find([{ ...newer, goal: "launched" }], spec)).missing, [[A, "text-unavailable"]]);
});

test("a stored text is not run under another unit's name", async () => {
  const { find } = world();
  const spec = specOf("one");
  await find([placedAs(spec)], spec);
  const renamed = { ...placedAs(spec), unit: "other.service" as UnitName };
  assert.deepEqual(await find([renamed], null), { texts: [], missing: [["other.service", "text-unavailable"]] });
});

test("with no release accepted yet and nothing stored there is only what is missing", async () => {
  const { find } = world();
  assert.deepEqual(await find([placedAs(specOf("one"))], null), { texts: [], missing: [[A, "text-unavailable"]] });
});

test("the policy on drift is the release's, of any text, and the last one known where there is no release", async () => {
  const disk = new MemoryFileStore();
  const [plain, detecting] = [specOf("one"), specOf("one", "defaults: { drift: detect }\n")];
  assert.equal(placedAs(plain).hash, placedAs(detecting).hash, "it is no part of what runs");
  const policies: unknown[] = [];
  for (const spec of [plain, detecting, null, plain, null]) {
    const { wanted } = await findWantedUnits([placedAs(plain)], MACHINE, spec, new AgentFiles(disk), sha256);
    policies.push(wanted.map(({ drift }) => drift));
  }
  assert.deepEqual(policies, [[undefined], ["detect"], ["detect"], [undefined], [undefined]]);
});

test("a unit placed later that starts before one that is here is known to it from then on, and after the commit is gone", async () => {
  const disk = new MemoryFileStore();
  const specWith = (files: Readonly<Record<string, string>>) => {
    const { spec } = compileRepository({
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: prod\n",
      "units/a.service": "[Service]\nExecStart=/bin/echo one\n",
      ...files,
    });
    return spec ?? assert.fail("it does not compile");
  };
  const alone = specWith({});
  const both = specWith({ "units/b.service": "[Unit]\nBefore=a.service\n[Service]\nExecStart=/bin/b\n" });
  const orders: unknown[] = [];
  for (const spec of [alone, both, null]) {
    const { wanted } = await findWantedUnits([placedAs(alone)], MACHINE, spec, new AgentFiles(disk), sha256);
    orders.push(wanted.map(({ after }) => after));
  }
  assert.deepEqual(orders, [[[]], [["b.service"]], [["b.service"]]]);
});
