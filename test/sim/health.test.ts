/** A version that runs and does not do its work stops its own rollout, in words; one that does goes out by itself. */
import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";

const NAMES = ["web@1.service", "web@2.service", "web@3.service"] as UnitName[];
const manifest = `apiVersion: fleet/v1
cluster: sim
units:
  web@.service:
    instances: 3
    rollout: { maxUnavailable: 1, minHealthyTime: 2s, healthDeadline: 20s }
`;
const files = (version: string) => ({
  "fleet.yaml": manifest,
  "units/web@.service": `[Service]\nExecStart=/bin/server ${version}\n\n[X-Fleet]\nHealthCheck=http://127.0.0.1/${version}\n`,
});

test("a version whose health check does not pass reaches one of three, and the next good one all", async () => {
  const sim = new SimCluster({ seed: 11, machines: 3, engines: 1, cluster: "sim" });
  for (const { health } of sim.machines) health.answers.set("http://127.0.0.1:80/bad", "HTTP status 500");
  const running = () =>
    sim.machines
      .flatMap(({ manager }) => NAMES.flatMap((name) => manager.running().get(name)?.text ?? []))
      .map((text) => /server (\w+)/.exec(text)?.[1] ?? "")
      .sort();
  const converged = async () => (await sim.convergence())?.converged === true;
  const until = async (what: string, isSo: () => Promise<boolean>) => {
    const fromMs = sim.clock.monotonicMs();
    while (!(await isSo())) {
      if (sim.clock.monotonicMs() - fromMs > 60_000) assert.fail(`${what}: not within a minute, ${running()}`);
      await sim.clock.advance(200);
    }
  };
  sim.start();
  await sim.clock.advance(3_000);
  await sim.apply(sim.commit(files("good"), "first"));
  await until("the first has converged", converged);

  await sim.apply(sim.commit(files("bad"), "second"));
  await until("one runs it", async () => running().includes("bad"));
  // Well beyond its deadline.
  await sim.clock.advance(40_000);
  assert.deepEqual(running(), ["bad", "good", "good"]);
  const seen = await sim.convergence();
  assert.equal(seen?.converged, false);
  const { statuses } = await sim.snapshot();
  const said = statuses.flatMap(({ health }) => (health?.state === "unknown" ? [health.detail] : []));
  assert.deepEqual(said, ["http://127.0.0.1:80/bad: HTTP status 500"]);

  await sim.apply(sim.commit(files("better"), "third"));
  await until("the third has converged", converged);
  assert.deepEqual(running(), ["better", "better", "better"]);
  const revision = sim.store.revision;
  await sim.clock.advance(2_000);
  const asked = () => sim.machines.reduce((sum, { health }) => sum + health.asked.length, 0);
  const before = asked();
  await sim.clock.advance(120_000);
  assert.ok(asked() > before, "they are asked all the time");
  // A rollout that ends is told once or twice more.
  assert.ok(
    sim.store.revision - revision <= 3,
    `${sim.store.revision - revision} writes for answers that do not change`,
  );
  await sim.end();
});
