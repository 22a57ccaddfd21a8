/** Machines that want to restart at random, beside rollouts: never more at once than may, and no budget is broken by both together. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { RebootFleet, type RebootFleetOptions } from "./reboot-fleet.ts";

const STORM_MS = 120_000;
/** Five machines after each other, each with a lost slot's deadline before it. */
const CALM_MS = 600_000;

async function storm(options: RebootFleetOptions, pullsPlugs: boolean): Promise<RebootFleet> {
  const fleet = new RebootFleet(options);
  const { random, sim, guarded } = fleet;
  await fleet.start();
  fleet.checksBudgets = !pullsPlugs;
  const chance = (everyMs: number) => random.chance(250 / everyMs);
  const later = (act: () => void) => void sim.clock.sleep(random.between(1_000, 15_000)).then(act);
  await fleet.pass(STORM_MS, async () => {
    const one = random.pick(guarded);
    if (chance(8_000)) one.wants = true;
    if (chance(guarded.some(({ isDown }) => isDown) ? 6_000 : 40_000)) await fleet.release();
    const engine = random.pick(sim.machines.filter((machine) => sim.hasEngine(machine)));
    if (chance(30_000)) {
      engine.crashEngine();
      later(() => engine.startEngine());
    }
    if (chance(30_000) && one.machine.powered && !one.isDown) {
      fleet.stopGuard(one);
      const { boots } = one;
      later(() => {
        if (one.boots === boots && one.machine.powered) fleet.startGuard(one);
      });
    }
    if (pullsPlugs && chance(45_000) && one.machine.powered && !one.isDown) {
      fleet.powerOff(one);
      later(() => {
        if (!one.machine.powered && !one.isDown) fleet.powerOn(one);
      });
    }
  });
  fleet.stormy = false;
  for (const one of guarded)
    if (one.registry !== null)
      one.registry.faults = { ...one.registry.faults, dropRequest: 0, dropReply: 0, lateRequest: 0 };
  let isDone = false;
  for (let waited = 0; !isDone && waited < CALM_MS; waited += 5_000) {
    await fleet.pass(5_000);
    isDone = guarded.every(({ wants, isDown }) => !wants && !isDown);
  }
  assert.ok(isDone, `seed ${options.seed}: everybody who wanted to restart has`);
  return fleet;
}

test("one after another, while engines and guards die and messages are lost: budgets hold beside rollouts", async () => {
  for (let seed = 1; seed <= 2; seed++) {
    const fleet = await storm({ seed, slots: 1 }, false);
    assert.deepEqual(fleet.violations, [], `seed ${seed}`);
    const reboots = fleet.guarded.reduce((sum, one) => sum + one.reboots, 0);
    assert.ok(reboots >= 3, `seed ${seed}: ${reboots} restarts`);
    await fleet.end();
  }
});

test("two slots restart no two machines of which a budget has no room", async () => {
  const fleet = await storm({ seed: 5, slots: 2 }, false);
  assert.deepEqual(fleet.violations, []);
  await fleet.end();
});

test("machines that die at random, also with a slot, keep nobody waiting for ever", async () => {
  const fleet = await storm({ seed: 8, slots: 1 }, true);
  assert.deepEqual(fleet.violations, []);
  await fleet.end();
});

test("a machine that restarts without asking is noticed", async () => {
  const fleet = new RebootFleet({ seed: 1, slots: 1, isImpatient: true });
  await fleet.start();
  for (const one of fleet.guarded.slice(0, 2)) one.wants = true;
  await fleet.pass(40_000);
  assert.ok(fleet.violations.some((text) => /restarts and has no grant/.test(text)));
  assert.ok(fleet.violations.some((text) => /of each.service run/.test(text)));
  await fleet.end();
});
