/** Protocol rule 6: a machine made of another one's image has its machine id, and is refused. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { MachineId, UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";

const files = (version: number) => ({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\n",
  "units/pinned.service": `[Service]\nExecStart=/bin/sleep 10000${version}\n[X-Fleet]\nMachineID=m2\n`,
  "units/everywhere.service": "[Service]\nExecStart=/bin/sleep infinity\n[X-Fleet]\nGlobal=true\n",
});

const UNITS = ["pinned.service", "everywhere.service"] as UnitName[];

test("a clone runs nothing of what its original runs, which goes on undisturbed, and takes nothing of a new release", async () => {
  const sim = new SimCluster({ seed: 1, machines: 3, engines: 1, cluster: "sim" });
  const [original, clone] = [sim.machines[1]!, sim.machines[2]!];
  sim.start();
  await sim.clock.advance(2_000);
  await sim.apply(sim.commit(files(1), "one"));
  await sim.clock.advance(10_000);
  // With a set on its disk, as a copied image has one.
  clone.powerOff();
  const running = () => UNITS.map((unit) => original.manager.running().get(unit)?.invocation);
  const before = running();
  assert.ok(before.every((invocation) => invocation !== undefined));
  const presence = async () => (await sim.snapshot()).members.find(({ id }) => id === original.id)?.presenceRevision;
  const incarnation = await presence();
  (clone as { id: MachineId }).id = original.id;
  clone.powerOn(false);
  for (let passed = 0; passed < 60_000; passed += 100) {
    await sim.clock.advance(100);
    assert.deepEqual([...clone.manager.running().keys()], []);
  }
  assert.deepEqual(running(), before);
  assert.equal(await presence(), incarnation);
  await sim.apply(sim.commit(files(2), "two"));
  await sim.clock.advance(20_000);
  assert.deepEqual([...clone.manager.running().keys()], []);
  assert.notEqual(running()[0], before[0], "the original follows");
  original.powerOff();
  await sim.clock.advance(20_000);
  assert.deepEqual([...clone.manager.running().keys()], [], "nobody steps into its place");
  await sim.end();
});
