import assert from "node:assert/strict";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { backUp } from "./registry-backup.ts";

const server = (options = "") => `[Service]\nExecStart=/bin/server\n[X-Fleet]\n${options}\n`;
const files = (machines = "") => ({
  "fleet.yaml": `apiVersion: fleet/v1\ncluster: sets\n${machines}`,
  "units/everywhere.service": server("Global=true"),
  "units/late.service": `[Unit]\nAfter=a.service\n${server("Global=true")}`,
  "units/a.service": server(),
  "units/b.service": server(),
});
/** Beyond a lease, its grace and the hold of an engine. */
const LONG_MS = 40_000;

/** `machine/unit` → invocation of everything that runs. */
function running({ machines }: SimCluster): Map<string, string> {
  const found = machines.flatMap(({ name, manager }) =>
    [...manager.running()].map(([unit, { invocation }]) => [`${name}/${unit}`, invocation] as const),
  );
  return new Map(found.sort());
}

async function cluster(): Promise<SimCluster> {
  const sim = new SimCluster({ seed: 7, machines: 3, engines: 2, cluster: "sets" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files(), "first"));
  await sim.clock.advance(LONG_MS);
  return sim;
}

async function drain(sim: SimCluster, machine: string): Promise<void> {
  await sim.apply(sim.commit(files(`admit: any\nmachines:\n  gone: { id: "${machine}", drain: true }\n`), "drains"));
  await sim.clock.advance(LONG_MS);
}

async function wipeSets({ registry, keys }: SimCluster): Promise<void> {
  await registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: `${keys.root}placements/` }] });
}

/** Who has it, of those two. */
async function homeOf(sim: SimCluster, unit: string) {
  const { machine } = (await sim.snapshot()).assignments.find((one) => one.unit === unit)!;
  return sim.machines.find(({ id }) => id === machine)!;
}

test("a drained machine whose set was wiped keeps its global units, and nothing restarts anywhere", async () => {
  const sim = await cluster();
  const drained = await homeOf(sim, "a.service");
  await drain(sim, drained.id);
  assert.deepEqual([...drained.manager.running().keys()].sort(), ["everywhere.service", "late.service"]);
  const before = running(sim);
  await wipeSets(sim);
  await sim.clock.advance(LONG_MS);
  assert.deepEqual(running(sim), before);
  const { sets, kept = [] } = await sim.snapshot();
  assert.deepEqual([sets.length, kept], [3, []], "every set is there again, and nobody has to tell of one any more");
  assert.equal((await sim.convergence())?.converged, true);
  await sim.end();
});

test("a machine whose set was wiped while its unit was given to another lets that unit go", async () => {
  const sim = await cluster();
  const lost = await homeOf(sim, "a.service");
  lost.setPartitioned(true);
  await sim.clock.advance(LONG_MS);
  assert.notEqual(await homeOf(sim, "a.service"), lost);
  await drain(sim, lost.id);
  await wipeSets(sim);
  lost.setPartitioned(false);
  await sim.clock.advance(LONG_MS);
  assert.deepEqual([...lost.manager.running().keys()].sort(), ["everywhere.service", "late.service"]);
  assert.equal((await sim.convergence())?.converged, true);
  await sim.end();
});

test("once every machine has its header, nothing is written, also of those that have no unit", async () => {
  const sim = await cluster();
  const bare = files();
  await sim.apply(sim.commit({ "fleet.yaml": bare["fleet.yaml"], "units/a.service": bare["units/a.service"] }, "less"));
  await sim.clock.advance(LONG_MS);
  const [{ revision }, backup] = [sim.store, await backUp(sim)];
  assert.equal(backup.filter(({ key }) => key.startsWith(`${sim.keys.root}placements/`)).length, 4);
  await sim.clock.advance(LONG_MS * 5);
  assert.equal(sim.store.revision, revision);
  await sim.end();
});
