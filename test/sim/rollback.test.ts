import assert from "node:assert/strict";
import { test } from "node:test";
import type { RolloutOrder, RolloutPhase } from "../../src/domain/rollout/rollout-record.ts";
import { rolloutOf } from "../../src/domain/rollout/rollouts.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import { orderRollout } from "../../src/usecases/order-rollout.ts";

const LIMIT_MS = 90_000;
const LOOK_MS = 20;

/** Four machines with real daemons; `web` is on all of them, `other` on one. */
class Cluster {
  readonly sim: SimCluster;
  readonly #onFailure: string;

  constructor(onFailure: string, seed = 1) {
    this.sim = new SimCluster({ seed, machines: 4, engines: 2, cluster: "sim" });
    this.#onFailure = onFailure;
  }

  async start(): Promise<void> {
    this.sim.start();
    await this.sim.clock.advance(2_000);
    await this.release({ web: "sleep 100001", other: "sleep 100001" });
    await this.until("done");
  }

  async release({ web, other }: { readonly web: string; readonly other: string }): Promise<void> {
    const service = (command: string, fleet: string) => `[Service]\nExecStart=/bin/${command}\n[X-Fleet]\n${fleet}\n`;
    const commit = this.sim.commit(
      {
        "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\ndefaults: { rollout: { minHealthyTime: 2s, ${this.#onFailure} } }\nunits: { web@.service: { instances: 4 } }\n`,
        "units/web@.service": service(web, "Conflicts=web@*.service"),
        "units/other.service": service(other, ""),
      },
      `${web} ${other}`,
    );
    assert.equal((await this.sim.apply(commit)).kind, "released");
  }

  async phase(): Promise<RolloutPhase | null> {
    const { rollouts, release } = await this.sim.snapshot();
    return rolloutOf(rollouts, release)?.phase ?? null;
  }

  async until(phase: RolloutPhase, look: () => void = () => {}): Promise<void> {
    const untilMs = this.sim.clock.monotonicMs() + LIMIT_MS;
    while ((await this.phase()) !== phase) {
      assert.ok(this.sim.clock.monotonicMs() < untilMs, `it is ${await this.phase()}, and not ${phase}`);
      await this.sim.clock.advance(LOOK_MS);
      look();
    }
  }

  async order(order: RolloutOrder["order"]): Promise<void> {
    await orderRollout(this.sim.registry, this.sim.keys, { order, by: "test", at: "" }, () => this.sim.newId());
  }

  versions(prefix: string): string {
    return this.sim.machines
      .flatMap((machine) =>
        [...machine.manager.running()]
          .filter(([unit]) => unit.startsWith(prefix))
          .map(([, { text }]) => /sleep 10000(\d)/.exec(text)?.[1] ?? ""),
      )
      .sort()
      .join(" ");
  }
}

test("a version that does not start stops the whole release at its first wave, until somebody lets the rest go on", async () => {
  const cluster = new Cluster("onFailure: hold");
  await cluster.start();
  await cluster.release({ web: "false", other: "sleep 100001" });
  await cluster.until("held");
  await cluster.sim.clock.advance(30_000);
  assert.equal(cluster.versions("web"), "1 1 1");
  await cluster.order("resume");
  await cluster.sim.clock.advance(30_000);
  assert.equal(await cluster.phase(), "rolling");
  assert.equal(cluster.versions("web"), "1 1 1", "its own set waits for it all the same");
  await cluster.release({ web: "sleep 100003", other: "sleep 100003" });
  await cluster.until("done");
  assert.equal(cluster.versions("web"), "3 3 3 3");
  assert.equal(cluster.versions("other"), "3");
  await cluster.sim.end();
});

test("with rollback everything goes back to the release that ended well, stays there, and the next commit goes out by itself", async () => {
  const cluster = new Cluster("onFailure: rollback");
  await cluster.start();
  await cluster.release({ web: "false", other: "sleep 100002" });
  await cluster.until("rolled-back", () => {
    assert.ok(cluster.versions("web").split(" ").length >= 3, "one of four is down at most");
  });
  assert.equal(cluster.versions("web"), "1 1 1 1");
  assert.equal(cluster.versions("other"), "1");
  await cluster.sim.clock.advance(5_000);
  const { revision } = cluster.sim.registry.store;
  await cluster.sim.clock.advance(60_000);
  assert.equal(cluster.sim.registry.store.revision, revision, "a cluster that went back is at rest");
  await cluster.release({ web: "sleep 100003", other: "sleep 100003" });
  await cluster.until("done");
  assert.equal(cluster.versions("web"), "3 3 3 3");
  assert.equal(cluster.versions("other"), "3");
  await cluster.sim.end();
});

test("wherever the leader dies on the way there and back, the cluster ends with the old version, and says so", async () => {
  for (const afterMs of [200, 600, 1_200, 2_400, 4_000, 6_000]) {
    const cluster = new Cluster("onFailure: rollback");
    await cluster.start();
    await cluster.release({ web: "false", other: "sleep 100002" });
    await cluster.sim.clock.advance(afterMs);
    const engines = cluster.sim.machines.slice(0, 2);
    for (const machine of engines) machine.crashEngine();
    engines[1]!.startEngine();
    await cluster.until("rolled-back");
    assert.equal(cluster.versions("web"), "1 1 1 1", `the leader died after ${afterMs} ms`);
    assert.equal(cluster.versions("other"), "1");
    await cluster.sim.end();
  }
});

test("a machine that lost its memory is given the texts of before by git, in a cluster that went back", async () => {
  const cluster = new Cluster("onFailure: rollback");
  await cluster.start();
  await cluster.release({ web: "false", other: "sleep 100001" });
  await cluster.until("rolled-back");
  const machine = cluster.sim.machines[3]!;
  machine.powerOff();
  await cluster.sim.clock.advance(1_000);
  const texts = await machine.files.list("/var/lib/fleet/agent/units");
  assert.ok(texts.length > 0);
  for (const name of texts) await machine.files.remove(`/var/lib/fleet/agent/units/${name}`);
  machine.powerOn(false);
  await cluster.sim.clock.advance(60_000);
  assert.equal(cluster.versions("web"), "1 1 1 1");
  await cluster.sim.end();
});

test("a rollout that is paused changes nothing more, replaces what is lost, and goes on when it is told to", async () => {
  const cluster = new Cluster("onFailure: hold");
  await cluster.start();
  await cluster.release({ web: "sleep 100002", other: "sleep 100002" });
  await cluster.sim.clock.advance(1_500);
  await cluster.order("pause");
  await cluster.until("paused");
  await cluster.sim.clock.advance(10_000);
  const paused = cluster.versions("web");
  assert.match(paused, /^1 .*2$/);
  await cluster.sim.clock.advance(30_000);
  assert.equal(cluster.versions("web"), paused);
  await assert.rejects(cluster.order("pause"), { code: "rollout-order" });
  await cluster.order("resume");
  await cluster.until("done");
  assert.equal(cluster.versions("web"), "2 2 2 2");
  await cluster.sim.end();
});

test("a rollout that was aborted never goes on, and the next commit does", async () => {
  const cluster = new Cluster("onFailure: hold");
  await cluster.start();
  await cluster.release({ web: "sleep 100002", other: "sleep 100001" });
  await cluster.sim.clock.advance(1_500);
  await cluster.order("abort");
  await cluster.until("aborted");
  await cluster.sim.clock.advance(30_000);
  assert.match(cluster.versions("web"), /^1 /);
  await assert.rejects(cluster.order("resume"), { code: "rollout-order" });
  await cluster.release({ web: "sleep 100003", other: "sleep 100001" });
  await cluster.until("done");
  assert.equal(cluster.versions("web"), "3 3 3 3");
  await cluster.sim.end();
});
