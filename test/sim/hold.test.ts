import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Hold, HoldScope } from "../../src/domain/cluster/hold.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";
import { endHold, placeHold } from "../../src/usecases/place-hold.ts";
import { readHolds } from "../../src/usecases/read-holds.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";

const web = "web.service" as UnitName;
const db = "db.service" as UnitName;
const files = (argument: string) => ({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: held\n",
  "units/web.service": `[Service]\nExecStart=/bin/web ${argument}\n`,
  "units/db.service": "[Service]\nExecStart=/bin/db\n",
});

describe("a hold", () => {
  test("wound 18: leaves a unit as it is, stopped or old, and nothing else; its end is the end of it", async () => {
    const { sim, machine } = await running();
    await place(sim, { kind: "unit", unit: web }, 600_000);
    const before = invocations(machine);
    await machine.manager.stop(db);
    await sim.apply(sim.commit(files("two"), "changes web"));
    await sim.clock.advance(30_000);
    assert.equal(machine.manager.running().get(web)?.invocation, before.get(web), "the held unit was touched");
    assert.ok(machine.manager.running().has(db), "what is not held is repaired");
    await endHold(sim.registry, sim.keys, { kind: "unit", unit: web });
    assert.ok(
      await until(sim, () => invocations(machine).get(web) !== before.get(web)),
      "the change came after its end",
    );
    // It has to stay up for its time, and the engine to see that.
    await sim.clock.advance(10_000);
    assert.equal((await sim.convergence())?.converged, true);
    await sim.end();
  });

  test("of a machine keeps even what the commit removed, and ends by itself", async () => {
    const { sim, machine } = await running();
    await place(sim, { kind: "machine", machine: machine.id }, 60_000);
    const { "units/web.service": _, ...rest } = files("one");
    await sim.apply(sim.commit(rest, "removes web"));
    await sim.clock.advance(40_000);
    assert.ok(machine.manager.running().has(web));
    assert.ok(await until(sim, () => !machine.manager.running().has(web)), "it ended, and web went");
    await sim.end();
  });

  test("outlives the registry, and not its own time", async () => {
    const { sim, machine } = await running();
    await place(sim, { kind: "cluster" }, 120_000);
    await sim.clock.advance(5_000);
    machine.setPartitioned(true);
    await machine.manager.stop(web);
    await sim.clock.advance(60_000);
    assert.ok(!machine.manager.running().has(web), "held, though nobody can ask the registry");
    assert.ok(await until(sim, () => machine.manager.running().has(web)), "repaired once its time was up");
    await sim.end();
  });

  test("placed at the machine needs no registry, survives the agent and a power cut, and everybody sees it in the end", async () => {
    const { sim, machine } = await running();
    machine.setPartitioned(true);
    const at = new Date(sim.clock.wallMs()).toISOString();
    await machine.holds!.place({ scope: { kind: "unit", unit: web }, reason: "", by: "ada", at, forMs: 300_000 });
    await machine.manager.stop(web);
    await machine.manager.stop(db);
    machine.crashAgent();
    await sim.clock.advance(5_000);
    machine.startAgent();
    assert.ok(await until(sim, () => machine.manager.running().has(db)), "what is not held is repaired");
    machine.powerOff();
    machine.powerOn(true);
    assert.ok(await until(sim, () => machine.manager.running().has(db)), "and started after a boot");
    assert.ok(!machine.manager.running().has(web), "what is held is not");
    machine.setPartitioned(false);
    const told = async () =>
      readHolds(sim.registry, sim.keys, (await readSnapshot(sim.registry, sim.keys)).snapshot.members);
    await sim.clock.advance(30_000);
    assert.deepEqual(
      (await told()).map(({ by, placedAt }) => [by, placedAt]),
      [["ada", machine.id]],
    );
    assert.ok(!machine.manager.running().has(web), "held whatever the registry says");
    assert.ok(await until(sim, () => machine.manager.running().has(web)), "it ends by itself");
    await sim.clock.advance(10_000);
    assert.deepEqual(await told(), []);
    await sim.end();
  });
});

async function running(): Promise<{ sim: SimCluster; machine: SimMachine }> {
  const sim = new SimCluster({ seed: 1, machines: 1, engines: 1, cluster: "held" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files("one"), "first"));
  const machine = sim.machines[0]!;
  assert.ok(await until(sim, () => machine.manager.running().size === 2));
  await sim.clock.advance(5_000);
  return { sim, machine };
}

async function place(sim: SimCluster, scope: HoldScope, forMs: number): Promise<void> {
  const hold: Hold = { scope, reason: "a test", by: "ada", at: "2026-11-21T10:00:00.000Z", forMs };
  await placeHold(sim.registry, sim.keys, hold, () => sim.newId());
}

function until(sim: SimCluster, condition: () => boolean): Promise<boolean> {
  return sim.clock.runUntil(condition, 300_000);
}

function invocations(machine: SimMachine): Map<UnitName, string> {
  return new Map([...machine.manager.running()].map(([unit, { invocation }]) => [unit, invocation]));
}
