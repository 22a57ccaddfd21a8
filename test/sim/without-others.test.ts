import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const server = (argument: string, options = "") =>
  `[Service]\nExecStart=/bin/server ${argument}\n[X-Fleet]\n${options}\n`;
const files = (version: string, changes: Readonly<Record<string, string>> = {}) => ({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: alone\n",
  "units/everywhere.service": server(version, "Global=true"),
  ...Object.fromEntries([1, 2, 3, 4].map((number) => [`units/free-${number}.service`, server("free")])),
  ...changes,
});
/** Far beyond a lease, its grace and every patience of the daemons. */
const LONG_MS = 600_000;

/** `machine/unit` → invocation of everything that runs. */
function running({ machines }: SimCluster): Map<string, string> {
  const found = machines.flatMap(({ name, manager }) =>
    [...manager.running()].map(([unit, { invocation }]) => [`${name}/${unit}`, invocation] as const),
  );
  return new Map(found.sort());
}

async function cluster(): Promise<SimCluster> {
  const sim = new SimCluster({ seed: 7, machines: 3, engines: 2, cluster: "alone" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files("one"), "first"));
  await converged(sim);
  return sim;
}

async function converged(sim: SimCluster): Promise<void> {
  for (let second = 0; second < 120; second++) {
    if ((await sim.convergence())?.converged === true) return;
    await sim.clock.advance(1_000);
  }
  assert.fail(`not converged: ${JSON.stringify(await sim.convergence())}`);
}

interface Fault {
  begin(machine: SimMachine): void;
  end(machine: SimMachine): void;
}

const noRegistry: Fault = {
  begin: (machine) => machine.setPartitioned(true),
  end: (machine) => machine.setPartitioned(false),
};
const noGit: Fault = {
  begin: (machine) => {
    machine.source.down = true;
  },
  end: (machine) => {
    machine.source.down = false;
  },
};
const noEngine: Fault = { begin: (machine) => machine.crashEngine(), end: () => undefined };
const frozen: Fault = { begin: (machine) => machine.setPaused(true), end: (machine) => machine.setPaused(false) };

const EVERYBODY: readonly [string, readonly Fault[]][] = [
  ["row 45: the registry", [noRegistry]],
  ["row 46: git", [noGit]],
  ["row 47: registry and git", [noRegistry, noGit]],
  ["the engines", [noEngine]],
  ["row 49: everything else", [noRegistry, noGit, noEngine]],
  ["row 44: every daemon, frozen", [frozen]],
];

describe("everybody loses for ten minutes", () => {
  for (const [what, faults] of EVERYBODY) {
    test(`${what}: nothing stops, starts or moves, before or after`, async () => {
      const sim = await cluster();
      const before = running(sim);
      assert.equal(before.size, 3 + 4);
      for (const machine of sim.machines) for (const fault of faults) fault.begin(machine);
      await sim.clock.advance(LONG_MS);
      assert.deepEqual(running(sim), before);
      for (const machine of sim.machines) {
        for (const fault of faults) fault.end(machine);
        if (sim.hasEngine(machine)) machine.startEngine();
      }
      await sim.clock.advance(60_000);
      await converged(sim);
      assert.deepEqual(running(sim), before);
      await sim.end();
    });
  }

  test("with the registry gone a unit that goes down is started again, and a release that comes meanwhile starts nothing", async () => {
    const sim = await cluster();
    const [first] = sim.machines as [SimMachine];
    const [unit] = [...first.manager.running().keys()] as [UnitName];
    const before = running(sim);
    for (const machine of sim.machines) machine.setPartitioned(true);
    await sim.clock.advance(30_000);
    await sim.apply(sim.commit(files("two", { "units/late.service": server("late") }), "second"));
    await first.manager.stop(unit);
    assert.ok(await sim.clock.runUntil(() => first.manager.running().has(unit), 60_000), "it was repaired");
    await sim.clock.advance(LONG_MS);
    const during = running(sim);
    during.delete(`${first.name}/${unit}`);
    before.delete(`${first.name}/${unit}`);
    assert.deepEqual(during, before);
    for (const machine of sim.machines) machine.setPartitioned(false);
    await sim.clock.advance(60_000);
    await converged(sim);
    const after = [...running(sim)];
    const free = (entries: [string, string][]) =>
      entries.filter(([key]) => key.includes("/free-") && !key.endsWith(unit));
    assert.deepEqual(free(after), free([...before]));
    assert.ok(after.some(([key]) => key.endsWith("/late.service")));
    await sim.end();
  });
});

describe("boots without the others", () => {
  test("row 50: a machine whose registry and git are away starts its last units after its patience, and keeps them when all is back", async () => {
    const sim = await cluster();
    const [machine] = sim.machines as [SimMachine];
    const units = [...machine.manager.running().keys()].sort();
    machine.powerOff();
    machine.setPartitioned(true);
    machine.source.down = true;
    machine.powerOn(sim.hasEngine(machine));
    await sim.clock.advance(19_000);
    assert.equal(machine.manager.running().size, 0, "the registry might say that they run elsewhere by now");
    await sim.clock.advance(10_000);
    assert.deepEqual([...machine.manager.running().keys()].sort(), units);
    await sim.end();
  });

  test("row 51: the whole cluster, the registry last: everything runs where it ran, and nothing has moved", async () => {
    const sim = await cluster();
    const before = [...running(sim).keys()];
    for (const machine of sim.machines) {
      machine.powerOff();
      machine.setPartitioned(true);
      machine.source.down = true;
    }
    await sim.clock.advance(60_000);
    for (const machine of sim.machines) machine.powerOn(sim.hasEngine(machine));
    await sim.clock.advance(300_000);
    const booted = running(sim);
    assert.deepEqual([...booted.keys()], before);
    for (const machine of sim.machines) {
      machine.setPartitioned(false);
      machine.source.down = false;
    }
    await sim.clock.advance(60_000);
    await converged(sim);
    assert.deepEqual(running(sim), booted);
    await sim.end();
  });
});

describe("row 63: the wall clock", () => {
  for (const jump of ["1 h", "-1 h", "10 y", "-10 y"]) {
    test(`jumps by ${jump} on every machine: no lease, no hold and no unit notices`, async () => {
      const sim = await cluster();
      const before = running(sim);
      const terms = async () => (await sim.registry.list(sim.keys.term, { exact: true })).entries[0]?.value;
      const [term, presence] = [await terms(), await incarnations(sim)];
      const [count, unit] = jump.split(" ") as [string, "h" | "y"];
      const jumpMs = Number(count) * (unit === "h" ? 3_600_000 : 365 * 86_400_000);
      for (const { clock } of sim.machines) {
        const wallMs = clock.wallMs.bind(clock);
        clock.wallMs = () => wallMs() + jumpMs;
      }
      await sim.clock.advance(60_000);
      assert.deepEqual(running(sim), before);
      assert.deepEqual([await terms(), await incarnations(sim)], [term, presence]);
      // A machine that is lost is lost after the same time.
      const [, , last] = sim.machines as [SimMachine, SimMachine, SimMachine];
      last.powerOff();
      // Its lease may be a third of its six seconds old; the grace is two more.
      await sim.clock.advance(5_500);
      assert.deepEqual(moved(sim, before, last), []);
      await sim.clock.advance(60_000);
      const free = [...before.keys()].filter((key) => key.startsWith(`${last.name}/free-`));
      assert.deepEqual(moved(sim, before, last).length, free.length);
      await sim.end();
    });
  }
});

/** The lives of presence keys: another one is a lease that was lost. */
async function incarnations(sim: SimCluster): Promise<number[]> {
  return (await sim.snapshot()).members.map(({ presenceRevision }) => presenceRevision);
}

/** What runs where it did not run before. */
function moved(sim: SimCluster, before: ReadonlyMap<string, string>, but: SimMachine): string[] {
  return [...running(sim).keys()].filter((key) => !before.has(key) && !key.startsWith(`${but.name}/`));
}

test("an agent that cannot see its systemd says so, and since when: its statuses are old though it is present", async () => {
  const sim = await cluster();
  const [machine] = sim.machines as [SimMachine];
  const began = machine.clock.wallMs();
  machine.setSystemdAway(true);
  await sim.clock.advance(20_000);
  const member = async () => (await sim.snapshot()).members.find(({ id }) => id === machine.id)!;
  const { present, problem } = await member();
  assert.deepEqual([present, problem?.code], [true, "cannot-look"]);
  assert.ok(Date.parse(problem!.since!) - began < 6_000, problem!.since);
  machine.setSystemdAway(false);
  await sim.clock.advance(20_000);
  assert.equal((await member()).problem, null);
  await sim.end();
});
