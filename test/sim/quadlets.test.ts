import assert from "node:assert/strict";
import { test } from "node:test";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

const MANIFEST =
  "apiVersion: fleet/v1\ncluster: boxes\nunits:\n" +
  "  web@.container: { instances: 3, rollout: { minHealthyTime: 1s, healthDeadline: 20s, onFailure: rollback } }\n";
const web = (image: string, more = "") => `[Container]\nImage=${image}\n${more}[X-Fleet]\nMaxPerMachine=1\n`;
const PATIENT = MANIFEST.replace("healthDeadline: 20s, onFailure: rollback", "healthDeadline: 5m");
const files = (image: string, more = "") => ({ "fleet.yaml": MANIFEST, "units/web@.container": web(image, more) });

/** Which image each machine runs; empty where none. */
const running = (sim: SimCluster) => sim.machines.map((machine) => imagesOn(machine).join(" "));

function imagesOn(machine: SimMachine): string[] {
  return [...machine.manager.running().values()].map(({ text }) => /^Image=(.*)$/m.exec(text)?.[1] ?? "");
}

async function released(image: string, machines = 3): Promise<SimCluster> {
  const sim = new SimCluster({ seed: 1, machines, engines: 1, cluster: "boxes" });
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files(image), image));
  assert.ok(await sim.clock.runUntil(() => running(sim).filter((one) => one === image).length === 3, 120_000));
  await sim.clock.advance(10_000);
  return sim;
}

test("a wave begins once its image is on the machine, and goes on from there when a registry has it at last", async () => {
  const sim = await released("one");
  sim.machines[1]!.podman.lacking.add("two");
  await sim.apply(sim.commit(files("two"), "two"));
  await sim.clock.advance(60_000);
  assert.deepEqual(running(sim), ["two", "one", "one"]);
  const [, second] = (await sim.snapshot()).members;
  assert.equal(second?.problem?.code, "image-pull-failed");
  assert.match(second?.problem?.detail ?? "", /manifest unknown/);
  sim.machines[1]!.podman.lacking.clear();
  assert.ok(await sim.clock.runUntil(() => running(sim).every((one) => one === "two"), 600_000));
  await sim.clock.advance(10_000);
  assert.equal((await sim.snapshot()).members[1]?.problem ?? null, null);
  await sim.end();
});

test("a quadlet that the generator rejects replaces none that works, and the release goes back", async () => {
  const sim = await released("one");
  const invocations = () => sim.machines.map(({ manager }) => [...manager.running().values()][0]?.invocation);
  const before = invocations();
  await sim.apply(sim.commit(files("one", "Volume=nowhere.volume:/data\n"), "broken"));
  await sim.clock.advance(90_000);
  assert.deepEqual(invocations(), before, "nothing restarted, there or back");
  const after = await sim.snapshot();
  assert.match(JSON.stringify(after.rollouts), /quadlet-rejected: converting .* nowhere.volume was not found/);
  assert.deepEqual([...new Set(after.statuses.map(({ problem }) => problem?.code ?? null))], [null]);
  await sim.end();
});

test("a machine that is lost loses its container to one that can run it, as the plan has it", async () => {
  const sim = new SimCluster({ seed: 1, machines: 5, engines: 1, cluster: "boxes" });
  sim.machines[3]!.podman.isThere = false;
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files("one"), "one"));
  assert.ok(await sim.clock.runUntil(() => running(sim).filter((one) => one === "one").length === 3, 120_000));
  assert.equal(running(sim)[3], "");
  await sim.clock.advance(10_000);
  const at = running(sim).lastIndexOf("one");
  sim.machines[at]!.powerOff();
  assert.ok(await sim.clock.runUntil(() => running(sim).filter((one) => one === "one").length === 3, 120_000));
  assert.equal(running(sim)[3], "");
  await sim.end();
});

test("an agent that dies at any call of a change ends in the new version, with one container", async () => {
  const sim = await released("one");
  let image = 1;
  for (const calls of [1, 3, 5, 8, 12, 20, 30, 45]) {
    const next = `next-${image++}`;
    for (const machine of sim.machines) machine.crashAgentSoon({ calls });
    await sim.apply(sim.commit({ ...files(next), "fleet.yaml": PATIENT }, next));
    const isOver = () => {
      for (const machine of sim.machines) machine.startAgent();
      return running(sim).every((one) => one === next);
    };
    assert.ok(await sim.clock.runUntil(isOver, 300_000), `dying after ${calls}: ${running(sim)}`);
  }
  await sim.end();
});
