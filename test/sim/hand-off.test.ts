/** Protocol rule 27: who moves as planned is stopped where it was, and only then started where it goes. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeRecord } from "../../src/codec/record.ts";
import { REPORT_SHAPE, type ReportRecord } from "../../src/codec/registry-records.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { SimCluster } from "../../src/sim/sim-cluster.ts";
import type { SimMachine } from "../../src/sim/sim-machine.ts";

/** Short against a stop, so that no double run is overlooked. */
const LOOK_MS = 10;
const WEB = ["web@1.service", "web@2.service", "web@3.service"] as UnitName[];
const DATA = "data.service" as UnitName;

/** Four machines: the engine is on m1, which takes none of these units; `web@` run two on m2 and one on m3. */
class Cluster {
  readonly sim = new SimCluster({ seed: 1, machines: 4, engines: 1, cluster: "sim", loss: { graceMs: 5_000 } });
  readonly overlaps: string[] = [];
  #commits = 0;

  machine(name: string): SimMachine {
    return this.sim.machines.find((machine) => machine.name === name)!;
  }

  async commit(machines: string): Promise<void> {
    this.#commits += 1;
    const service = (fleet: string, lines = "") =>
      `[Service]\nExecStart=/bin/sleep infinity\nTimeoutStopSec=5\n${lines}\n[X-Fleet]\n${fleet}\n`;
    const files = {
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: sim\nadmit: any\nloss: { agentTtl: 6s, grace: 5s }\nunits: { web@.service: { instances: 3 } }\nmachines: { m1: { cordon: true }${machines} }\n`,
      "units/web@.service": service(""),
      "units/data.service": service("MachineID=m2", "StateDirectory=data"),
      "units/everywhere.service": service("Global=true"),
    };
    const commit = this.sim.commit(files, `commit ${this.#commits}`);
    assert.equal((await this.sim.apply(commit)).kind, "released");
  }

  on(unit: UnitName): string[] {
    const there = this.sim.machines.filter(({ powered, manager }) => powered && manager.running().has(unit));
    return there.map(({ name }) => name);
  }

  async pass(milliseconds: number, look: () => void = () => {}): Promise<void> {
    for (let passed = 0; passed < milliseconds; passed += LOOK_MS) {
      await this.sim.clock.advance(LOOK_MS);
      for (const unit of WEB) if (this.on(unit).length > 1) this.overlaps.push(`${unit} on ${this.on(unit)}`);
      look();
    }
  }

  async report(): Promise<ReportRecord | null> {
    const { entries } = await this.sim.registry.list(this.sim.keys.report, { exact: true });
    const decoded = entries[0] === undefined ? null : decodeRecord<ReportRecord>(entries[0].value, REPORT_SHAPE);
    return decoded?.kind === "record" ? decoded.record : null;
  }
}

async function started(): Promise<Cluster> {
  const cluster = new Cluster();
  cluster.sim.start();
  await cluster.pass(2_000);
  await cluster.commit("");
  await cluster.pass(8_000);
  return cluster;
}

const DRAIN = ", m2: { drain: true }";

test("a drain moves one replica after another, each stopped first; data and globals stay, and undraining moves nothing back", async () => {
  const cluster = await started();
  const before = WEB.filter((unit) => cluster.on(unit).includes("m2"));
  assert.ok(before.length > 0, "something is on m2");
  let fewest = WEB.length;
  await cluster.commit(DRAIN);
  await cluster.pass(30_000, () => {
    fewest = Math.min(fewest, WEB.filter((unit) => cluster.on(unit).length === 1).length);
  });
  assert.deepEqual(cluster.overlaps, []);
  assert.equal(fewest, WEB.length - 1, "one of them is down at most");
  for (const unit of before) assert.notDeepEqual(cluster.on(unit), ["m2"]);
  assert.deepEqual(cluster.on(DATA), ["m2"]);
  assert.ok(cluster.on("everywhere.service" as UnitName).includes("m2"));
  const there = WEB.map((unit) => cluster.on(unit));
  await cluster.commit("");
  await cluster.pass(8_000);
  assert.deepEqual(
    WEB.map((unit) => cluster.on(unit)),
    there,
  );
  await cluster.sim.end();
});

test("a machine that does not let go is told of and waited for: nothing is started anyway", async () => {
  const cluster = await started();
  const moving = WEB.find((unit) => cluster.on(unit).includes("m2"))!;
  cluster.machine("m2").manager.faults = (_, job) => (job === "stop" ? { kind: "delay", ms: 300_000 } : null);
  await cluster.commit(DRAIN);
  await cluster.pass(30_000);
  assert.equal((await cluster.report())?.stuckHandOffs, undefined, "it may take that long");
  await cluster.sim.clock.advance(60_000);
  const [stuck] = (await cluster.report())?.stuckHandOffs ?? [];
  assert.deepEqual([stuck?.unit, stuck?.machine], [moving, cluster.machine("m2").id]);
  await cluster.sim.clock.advance(120_000);
  assert.deepEqual(cluster.on(moving), ["m2"]);
  cluster.machine("m2").manager.faults = () => null;
  await cluster.sim.clock.advance(120_000);
  assert.notDeepEqual(cluster.on(moving), ["m2"]);
  assert.equal((await cluster.report())?.stuckHandOffs, undefined);
  await cluster.sim.end();
});

test("where the machine dies before it has let go, its units go on once it is lost", async () => {
  const cluster = await started();
  const moving = WEB.find((unit) => cluster.on(unit).includes("m2"))!;
  cluster.machine("m2").manager.faults = (_, job) => (job === "stop" ? { kind: "delay", ms: 300_000 } : null);
  await cluster.commit(DRAIN);
  await cluster.pass(5_000);
  cluster.machine("m2").powerOff();
  await cluster.pass(6_000);
  assert.deepEqual(cluster.on(moving), [], "it is silent, and may run on where it is");
  await cluster.pass(30_000);
  assert.equal(cluster.on(moving).length, 1);
  assert.deepEqual(cluster.overlaps, []);
  await cluster.sim.end();
});
