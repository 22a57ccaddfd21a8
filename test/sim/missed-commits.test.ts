import assert from "node:assert/strict";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { heldText } from "./sample-repository.ts";

const service = (about: string, restartSec: number) =>
  `[Unit]\nDescription=${about}\n[Service]\nRestartSec=${restartSec}\nExecStart=/bin/server\n`;

/** The only machine, after it has converged on the first text. */
async function cluster() {
  const sim = new SimCluster({ seed: 1, machines: 1, engines: 1, cluster: "sim" });
  const commit = async (text: string) => {
    const files = { "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\n", "units/a.service": text };
    await sim.apply(sim.commit(files, "a change"));
    await sim.clock.advance(10_000);
  };
  sim.start();
  await sim.clock.advance(2_000);
  await commit(service("first", 1));
  const machine = sim.machines[0]!;
  const running = () => [...machine.manager.running().values()][0]!;
  return { sim, machine, commit, running };
}

test("an agent that could not act on several commits judges by what runs, not by what it was given last", async () => {
  const { sim, machine, commit, running } = await cluster();
  const before = running();
  machine.setSystemdAway(true);
  for (const about of ["second", "third", "fourth"]) await commit(service(about, 2));
  machine.setSystemdAway(false);
  await sim.clock.advance(20_000);
  assert.equal((await sim.convergence())?.converged, true);
  assert.equal(running().invocation, before.invocation);
  assert.equal(heldText(running().held), heldText(service("fourth", 2)));
  assert.equal(machine.manager.reloads, 1);
  await sim.end();
});

test("a commit of descriptions alone converges without a word to systemd", async () => {
  const { sim, machine, commit, running } = await cluster();
  const before = running();
  const asked: string[] = [];
  machine.manager.faults = (unit, job) => {
    asked.push(`${job} ${unit}`);
    return null;
  };
  await commit(service("second", 1));
  assert.equal((await sim.convergence())?.converged, true);
  assert.deepEqual([asked, machine.manager.reloads], [[], 0]);
  assert.deepEqual(running(), before);
  await sim.end();
});
