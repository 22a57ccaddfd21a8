/** The record by which a machine is a member is gone: that is no word that the machine is (`docs/machines.md`). */
import assert from "node:assert/strict";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { removeMachine } from "../../src/usecases/remove-machine.ts";

const SERVICE = "[Service]\nExecStart=/bin/server\n";
const FILES = {
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\n",
  "units/everywhere.service": `${SERVICE}[X-Fleet]\nGlobal=true\n`,
  ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((number) => [`units/u${number}.service`, SERVICE])),
};
/** The lease of a simulated agent, and the grace. */
const [LEASE_MS, GRACE_MS] = [6_000, 2_000];

async function cluster(): Promise<SimCluster> {
  const sim = new SimCluster({ seed: 5, machines: 6, engines: 2, cluster: "sim" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(FILES, "first"));
  // The hold after the election is over.
  await sim.clock.advance(40_000);
  assert.equal((await sim.convergence())?.converged, true);
  return sim;
}

async function places(sim: SimCluster): Promise<Map<string, string>> {
  const { assignments } = await sim.snapshot();
  return new Map(assignments.map(({ unit, machine }) => [unit, machine]));
}

async function wipe({ registry, keys }: SimCluster, machines: readonly SimMachine[]): Promise<void> {
  await registry.txn({ when: [], then: machines.map(({ id }) => ({ kind: "delete", key: keys.member(id) })) });
}

/** `machine/unit` → invocation. */
function running({ machines }: SimCluster): Map<string, string> {
  const found = machines.flatMap(({ name, manager }) =>
    [...manager.running()].map(([unit, { invocation }]) => [`${name}/${unit}`, invocation] as const),
  );
  return new Map(found.sort());
}

test("a machine that cannot be reached and whose record is wiped is missed like any other, and comes back as it was", async () => {
  const sim = await cluster();
  const [before, processes, cutOff] = [await places(sim), running(sim), sim.machines[5]!];
  cutOff.setPartitioned(true);
  await wipe(sim, [cutOff]);
  await sim.clock.advance(LEASE_MS);
  assert.deepEqual(await places(sim), before, "nothing moves before its lease and the grace are over");
  cutOff.setPartitioned(false);
  await sim.clock.advance(30_000);
  assert.deepEqual(await places(sim), before);
  assert.deepEqual(running(sim), processes);
  await sim.end();
});

test("once it is lost its units go elsewhere", async () => {
  const sim = await cluster();
  const lost = sim.machines[5]!;
  lost.setPartitioned(true);
  await wipe(sim, [lost]);
  await sim.clock.advance(LEASE_MS + GRACE_MS + 10_000);
  assert.ok(![...(await places(sim)).values()].includes(lost.id));
  lost.setPartitioned(false);
  await sim.clock.advance(30_000);
  assert.deepEqual([...lost.manager.running().keys()], ["everywhere.service"]);
  assert.equal((await sim.convergence())?.converged, true);
  await sim.end();
});

test("so many of them are an outage, in which nothing moves", async () => {
  const sim = await cluster();
  const [before, processes, cutOff] = [await places(sim), running(sim), sim.machines.slice(3)];
  for (const machine of cutOff) machine.setPartitioned(true);
  await wipe(sim, cutOff);
  await sim.clock.advance(120_000);
  assert.deepEqual(await places(sim), before);
  for (const machine of cutOff) machine.setPartitioned(false);
  await sim.clock.advance(30_000);
  assert.deepEqual(running(sim), processes);
  await sim.end();
});

test("one that somebody removes is gone at once: its units go elsewhere without waiting", async () => {
  const sim = await cluster();
  const removed = sim.machines[5]!;
  removed.powerOff();
  await sim.clock.advance(LEASE_MS + 500);
  assert.ok([...(await places(sim)).values()].includes(removed.id), "the grace is not over");
  await removeMachine(sim.registry, sim.keys, removed.id);
  await sim.clock.advance(1_000);
  const now = await places(sim);
  assert.equal(now.size, 6);
  assert.ok(![...now.values()].includes(removed.id));
  assert.ok(!(await sim.snapshot()).members.some(({ id }) => id === removed.id));
  await sim.end();
});

test("records of machines that are there are written again, and nothing moves or restarts", async () => {
  const sim = await cluster();
  const [before, processes] = [await places(sim), running(sim)];
  await wipe(sim, sim.machines);
  await sim.clock.advance(30_000);
  assert.deepEqual(await places(sim), before);
  assert.deepEqual(running(sim), processes);
  assert.ok((await sim.snapshot()).members.every(({ unrecorded }) => unrecorded === undefined));
  await sim.end();
});
