/** What runs is changed only on machines whose agents have taken the release, and people are told of those that have not. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { readReport } from "../../src/codec/read-report.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const UNIT = "a.service" as UnitName;
const files = (version: string) => ({
  "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\nunits:\n  a.service: { rollout: { minHealthyTime: 1s } }\n",
  "units/a.service": `[Service]\nExecStart=/bin/server ${version}\n\n[X-Fleet]\nGlobal=true\n`,
});

test("a machine that cannot read the commit keeps what it has, is placed nothing new, and is named", async () => {
  const sim = new SimCluster({ seed: 5, machines: 3, engines: 1, cluster: "sim" });
  const [first, second, third] = sim.machines as [SimMachine, SimMachine, SimMachine];
  const until = async (what: string, isSo: () => boolean | Promise<boolean>) => {
    const fromMs = sim.clock.monotonicMs();
    while (!(await isSo())) {
      if (sim.clock.monotonicMs() - fromMs > 60_000) assert.fail(`${what}: not within a minute`);
      await sim.clock.advance(200);
    }
  };
  const runs = ({ manager }: SimMachine, version: string) =>
    manager.running().get(UNIT)?.text.includes(`/bin/server ${version}`) === true;
  const placedOn = async ({ id }: SimMachine) =>
    (await sim.snapshot()).sets.find(({ machine }) => machine === id)?.placements[0]?.hash;
  const waits = async () => {
    const { entries } = await sim.registry.list(sim.keys.report);
    const told = readReport(entries[0]?.value ?? "")?.waits ?? [];
    return told.flatMap((wait) => (wait.code === "prepare" ? [wait.machine] : []));
  };

  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files("one"), "first"));
  await until("the first runs everywhere", () => sim.machines.every((machine) => runs(machine, "one")));
  const old = await placedOn(second);
  await sim.clock.advance(5_000);
  const { invocation } = second.manager.running().get(UNIT)!;

  second.source.down = true;
  await sim.apply(sim.commit(files("two"), "second"));
  await until("the first machine has the new one", () => runs(first, "two"));
  await until("it is told who is waited for", async () => (await waits()).includes(second.id));
  await sim.clock.advance(20_000);
  assert.equal(await placedOn(second), old);
  assert.equal(second.manager.running().get(UNIT)!.invocation, invocation, "it ran all the time");
  assert.ok(runs(third, "one"), "nobody else of the set goes down before its turn");

  second.source.down = false;
  await until("it runs everywhere", () => sim.machines.every((machine) => runs(machine, "two")));
  await until("nobody is waited for", async () => (await waits()).length === 0);
  await sim.end();
});
