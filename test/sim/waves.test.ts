import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";

/** Short against what an agent takes for a change, so that no state between two waves is overlooked. */
const LOOK_MS = 10;
const LIMIT_MS = 60_000;

/** Four machines with real daemons, and what runs on them by version. */
class Cluster {
  readonly sim = new SimCluster({ seed: 1, machines: 4, engines: 1, cluster: "sim" });
  #commits = 0;

  async start(): Promise<void> {
    this.sim.start();
    await this.sim.clock.advance(2_000);
  }

  /** Applies the files and looks on until nothing waits any more. */
  async release(files: Readonly<Record<string, string>>, look: () => void = () => {}): Promise<void> {
    this.#commits += 1;
    const commit = this.sim.commit(files, `commit ${this.#commits}`);
    assert.equal((await this.sim.apply(commit)).kind, "released");
    const untilMs = this.sim.clock.monotonicMs() + LIMIT_MS;
    for (;;) {
      await this.sim.clock.advance(LOOK_MS);
      look();
      if ((await this.sim.convergence())?.settled === true) return;
      assert.ok(this.sim.clock.monotonicMs() < untilMs, JSON.stringify((await this.sim.convergence())?.waiting));
    }
  }

  /** The version of each running unit whose name begins so. */
  versions(prefix: string): string[] {
    return this.sim.machines.flatMap((machine) =>
      [...machine.manager.running()]
        .filter(([unit]) => unit.startsWith(prefix))
        .map(([, { text }]) => /sleep 10000(\d)/.exec(text)?.[1] ?? ""),
    );
  }
}

const manifest =
  "apiVersion: fleet/v1\ncluster: sim\nunits: { web@.service: { instances: 4, rollout: { minHealthyTime: 2s } } }\n";

function service(command: string, fleet: string, unit = ""): string {
  return `[Unit]\n${unit}\n[Service]\nExecStart=/bin/${command}\n[X-Fleet]\n${fleet}\n`;
}

function files(web: string, everywhere: string): Record<string, string> {
  return {
    "fleet.yaml": manifest,
    "units/web@.service": service(web, "Conflicts=web@*.service"),
    "units/everywhere.service": service(everywhere, "Global=true"),
  };
}

test("instances and a global unit are updated one after another, and at least three of four are up all the time", async () => {
  const cluster = new Cluster();
  await cluster.start();
  await cluster.release(files("sleep 100001", "sleep 100001"));
  const mixtures = { web: new Set<string>(), everywhere: new Set<string>() };
  await cluster.release(files("sleep 100002", "sleep 100002"), () => {
    for (const [prefix, seen] of Object.entries(mixtures)) {
      const versions = cluster.versions(prefix);
      assert.ok(versions.length >= 3, `${versions.length} of four ${prefix} are up`);
      seen.add(versions.sort().join(" "));
    }
  });
  for (const seen of Object.values(mixtures)) {
    for (const mixture of ["1 1 1 2", "1 1 2 2", "1 2 2 2", "2 2 2 2"]) assert.ok(seen.has(mixture), mixture);
  }
  assert.equal((await cluster.sim.convergence())?.converged, true);
  await cluster.sim.end();
});

test("a version that does not start stops the release after its first wave, and gives way to the next", async () => {
  const cluster = new Cluster();
  await cluster.start();
  await cluster.release(files("sleep 100001", "sleep 100001"));
  await cluster.release(files("false", "sleep 100002"));
  const state = await cluster.sim.convergence();
  assert.equal(state?.converged, false);
  const failed = state?.failed.map(({ unit, because }) => `${unit} ${because.code}`);
  assert.deepEqual(
    failed?.filter((one) => one.startsWith("web@")),
    ["web@1.service problem", "web@2.service held", "web@3.service held", "web@4.service held"],
  );
  assert.deepEqual(cluster.versions("web"), ["1", "1", "1"]);
  assert.deepEqual(
    cluster.versions("everywhere").sort(),
    ["1", "1", "1", "2"],
    "no wave begins after the first failure",
  );
  await cluster.release(files("sleep 100003", "sleep 100002"));
  assert.deepEqual(cluster.versions("web"), ["3", "3", "3", "3"]);
  await cluster.sim.end();
});

test("what starts after another does so across machines, at the first start and at every change", async () => {
  const cluster = new Cluster();
  await cluster.start();
  const files = (version: number) => ({
    "fleet.yaml": "apiVersion: fleet/v1\ncluster: sim\n",
    "units/a.service": service(`sleep 10000${version}`, "MachineMetadata=zone=a", "After=z.service"),
    "units/z.service": service(`sleep 10000${version}`, "MachineMetadata=zone=b"),
  });
  for (const version of [1, 2]) {
    const orders = new Set<string>();
    await cluster.release(files(version), () => {
      const [a, z] = [cluster.versions("a.service")[0] ?? "0", cluster.versions("z.service")[0] ?? "0"];
      orders.add(`a ${a} z ${z}`);
    });
    assert.ok(orders.has(`a ${version - 1} z ${version}`), "z goes first");
    assert.ok(!orders.has(`a ${version} z ${version - 1}`), "a does not go before it");
  }
  await cluster.sim.end();
});

test("a lost machine's units move while another set is held back", async () => {
  const cluster = new Cluster();
  await cluster.start();
  const files = (web: string) => ({
    "fleet.yaml": manifest,
    "units/web@.service": service(web, ""),
    "units/other.service": service("sleep 100001", ""),
  });
  await cluster.release(files("sleep 100001"));
  await cluster.release(files("false"));
  const isOn = (unit: string) =>
    cluster.sim.machines.findIndex((machine) => machine.powered && machine.manager.running().has(unit as UnitName));
  const last = cluster.sim.machines.findLast((machine) => machine.manager.running().size > 0)!;
  const moving = [...last.manager.running().keys()];
  assert.ok(cluster.sim.machines.indexOf(last) > 0, "the engine's machine stays");
  last.powerOff();
  await cluster.sim.clock.advance(20_000);
  // What had not changed runs on as it was; what is to change comes back as what does not start.
  for (const unit of moving.filter((name) => !name.startsWith("web@"))) assert.ok(isOn(unit) >= 0, `${unit} is back`);
  const snapshot = await cluster.sim.snapshot();
  assert.deepEqual(
    snapshot.assignments.filter(({ machine }) => machine === last.id),
    [],
  );
  await cluster.sim.end();
});
