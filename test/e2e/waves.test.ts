import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2", "m3"];
const HEALTHY_US = 2_000_000;
const MANIFEST = `apiVersion: fleet/v1
cluster: hello
units: { web@.service: { instances: 3 } }
defaults: { rollout: { minHealthyTime: 2s } }
`;

const skip = labSkipReason();

/** By the kernel's clock, which all machines of a lab share: microseconds. */
interface Restart {
  readonly unit: string;
  readonly startUs: number;
  readonly upUs: number;
}

describe("waves on three machines", { skip, concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const release = async (version: string, command: string) => {
    const service = (option: string, run: string) => `[Service]\nExecStart=${run}\n[X-Fleet]\n${option}\n`;
    await cluster.commit(version, {
      "fleet.yaml": MANIFEST,
      "units/web@.service": service("Conflicts=web@*.service", command),
      "units/everywhere.service": service("Global=true", `/bin/sh -c 'echo ${version}; exec sleep infinity'`),
    });
    return cluster.fleet("apply", "--auto-approve");
  };

  /** When each web instance, and each machine's copy of the global unit, was started last and came up. */
  const restarts = async (name: (machine: string) => Promise<string | null>): Promise<Restart[]> => {
    const found: Restart[] = [];
    for (const machine of MACHINES) {
      const unit = await name(machine);
      if (unit === null) continue;
      const properties = "--property=InactiveExitTimestampMonotonic,ActiveEnterTimestampMonotonic";
      const shown = await cluster.inside(machine, "systemctl", "show", properties, unit);
      const microseconds = (key: string) => Number(new RegExp(`^${key}=(\\d+)$`, "m").exec(shown)?.[1]);
      found.push({
        unit: `${unit} on ${machine}`,
        startUs: microseconds("InactiveExitTimestampMonotonic"),
        upUs: microseconds("ActiveEnterTimestampMonotonic"),
      });
    }
    return found.sort((a, b) => a.startUs - b.startUs);
  };

  const webOn = async (machine: string): Promise<string | null> => {
    const { units } = await cluster.status();
    return units.find((row) => row.unit.startsWith("web@") && row.machineName === machine)?.unit ?? null;
  };

  test("a new version goes from machine to machine, and to the next only when the last has been up for its time", async () => {
    const first = await release("one", "/bin/sleep 100001");
    assert.equal(first.code, 0, first.stdout + first.stderr);
    const second = await release("two", "/bin/sleep 100002");
    assert.equal(second.code, 0, second.stdout + second.stderr);
    for (const list of [await restarts(webOn), await restarts(async () => "everywhere.service")]) {
      assert.equal(list.length, 3);
      for (const [index, { unit, startUs }] of list.entries()) {
        const last = list[index - 1];
        if (last === undefined) continue;
        const waitedUs = startUs - last.upUs;
        assert.ok(waitedUs >= HEALTHY_US, `${unit} started ${waitedUs} µs after ${last.unit} had come up`);
      }
    }
  });

  test("a version that does not run stops the release at its first wave, and a mended one goes through", async () => {
    const before = await restarts(async () => "everywhere.service");
    const bad = await release("three", "/bin/false");
    assert.equal(bad.code, 1, bad.stdout + bad.stderr);
    assert.match(bad.stdout + bad.stderr, /release 3 failed and is held/);
    assert.match(bad.stdout + bad.stderr, /web@2\.service.*held back, because web@1\.service failed/);
    const { units } = await cluster.status();
    const active = units.filter((row) => row.unit.startsWith("web@") && row.active === "active");
    assert.deepEqual(active.map((row) => row.unit).sort(), ["web@2.service", "web@3.service"]);
    const now = await restarts(async () => "everywhere.service");
    const updated = now.filter(({ unit, upUs }) => upUs > before.find((one) => one.unit === unit)!.upUs);
    assert.equal(updated.length, 1, "the first wave was under way, and no other began");
    const failed = await cluster.fleet("why", "web@1");
    assert.equal(failed.code, 5, failed.stdout + failed.stderr);
    assert.match(failed.stdout, /^x web@1\.service on m\d: (failed|start-failed|restarting): /);
    assert.match(failed.stdout, /^ {2}commit +\w{7} "three" by e2e; release 3, /m);
    assert.match(failed.stdout, /^ {2}files +units\/web@\.service:2$/m);
    assert.match(failed.stdout, /^> systemd +failed \(failed\), result exit-code, since /m);
    assert.match(failed.stdout, /^ +\| .*web@1\.service/m);
    const held = await cluster.fleet("why", "web@2");
    assert.equal(held.code, 5, held.stdout + held.stderr);
    assert.match(
      held.stdout,
      /^o web@2\.service on m\d: its wave has not come: waits for web@1\.service on m\d \(down\)$/m,
    );
    assert.match(held.stdout, /^ {2}next +fleet why web@1\.service$/m);
    const { stdout } = await cluster.fleet("status");
    assert.match(
      stdout,
      /^waits +everywhere\.service, web@2\.service, web@3\.service: its wave has not come: .* since /m,
    );
    const mended = await release("four", "/bin/sleep 100004");
    assert.equal(mended.code, 0, mended.stdout + mended.stderr);
  });
});
