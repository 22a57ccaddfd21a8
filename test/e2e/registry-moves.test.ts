import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { labExec } from "../../src/lab/lab.ts";
import { labFolder, machineFolder } from "../../src/lab/lab-state.ts";
import { relay } from "../../src/lab/relay.ts";
import { mustRun } from "../../src/lab/run-program.ts";
import { EtcdProcess } from "../contract/etcd-process.ts";
import { ClusterOnLab, type ShownCluster } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2"];
const DAEMONS = ["fleet-agent.service", "fleet-engine.service"];
const UNITS = ["everywhere.service", "one.service", "two.service", "three.service", "later.service"];
const service = "[Service]\nExecStart=/bin/sleep infinity\n";

/** `fleet status --json`, as far as this test reads it. */
interface Shown extends ShownCluster {
  readonly identity: { readonly epoch: number } | null;
  readonly members: readonly (ShownCluster["members"][number] & {
    readonly problem: { readonly code: string } | null;
  })[];
  readonly report: { readonly problem: string | null } | null;
}

const skip =
  labSkipReason() ||
  (await Promise.all([thirdPartyBinary("etcd-3.5"), thirdPartyBinary("etcdctl")]).then(
    () => false as const,
    (error: Error) => error.message,
  ));

describe("a running cluster's registry is moved, wiped and restored", { skip, concurrency: false }, () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-moves-"));
  const ended = new AbortController();
  let etcd: EtcdProcess;
  let cluster: ClusterOnLab;
  /** What ran before anything happened to the registry. */
  let running: ReadonlyMap<string, string>;

  before(async () => {
    [etcd, cluster] = await Promise.all([EtcdProcess.start("3.5"), ClusterOnLab.up("hello", MACHINES.length)]);
    const examples = ["red", "blue", "hello@", "tick"].map((name) => `units/${name}.service`);
    await cluster.commit("units that stay", {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      ...Object.fromEntries([...examples, "units/tick.timer"].map((path) => [path, null])),
      "units/everywhere.service": `${service}[X-Fleet]\nGlobal=true\n`,
      ...Object.fromEntries(["one", "two", "three"].map((name) => [`units/${name}.service`, service])),
    });
    await fleet("apply", "--auto-approve", "--timeout", "30s");
    running = await invocations();
    assert.equal(running.size, MACHINES.length + 3);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    ended.abort();
    try {
      await cluster?.down();
    } finally {
      await etcd?.remove();
      rmSync(folder, { recursive: true, force: true });
    }
  });

  const fleet = async (...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await cluster.fleet(...words);
    assert.equal(code, 0, `fleet ${words.join(" ")}: ${stdout}${stderr}`);
    return stdout + stderr;
  };

  /** `unit/machine` → invocation of everything of ours that runs. */
  async function invocations(): Promise<Map<string, string>> {
    const found = new Map<string, string>();
    for (const machine of MACHINES) {
      const properties = "--property=Id,ActiveState,InvocationID";
      const shown = await cluster.inside(machine, "systemctl", "show", properties, "--", ...UNITS);
      for (const block of shown.trim().split("\n\n")) {
        const value = Object.fromEntries(block.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
        if (value.ActiveState === "active") found.set(`${value.Id}/${machine}`, value.InvocationID);
      }
    }
    return found;
  }

  const status = async () => (await cluster.status()) as Shown;

  /** A watch that returns to a store whose revisions have grown past its own again takes it for the one it knew, until the next listing. */
  async function aDayOfWrites(): Promise<void> {
    const registry = await openRegistry(etcd.address, { clock: systemClock });
    for (let write = 0; write < 200; write++) {
      await registry.txn({ when: [], then: [{ kind: "put", key: "/elsewhere", value: String(write) }] });
    }
    await registry.close();
  }

  const onAll = (...argv: string[]) => Promise.all(MACHINES.map((machine) => cluster.inside(machine, ...argv)));

  const isRefused = async (): Promise<boolean> => {
    const { members, report } = await status();
    const isSaid =
      members.length === MACHINES.length && members.every(({ problem }) => problem?.code === "registry-replaced");
    return isSaid && report?.problem?.startsWith("registry-replaced") === true;
  };

  test("from fleet's own to etcd, and no unit notices", async () => {
    const file = join(folder, "hello.export");
    await onAll("systemctl", "stop", "fleet-engine.service");
    assert.match(await fleet("registry", "export", file), /release 1/);
    const socket = join(labFolder(LAB_NAME), "shared/etcd.sock");
    void relay(socket, [{ host: "127.0.0.1", port: etcd.port }], ended.signal);
    cluster.use(etcd.address);
    assert.match(await fleet("registry", "import", file), /in epoch 2/);
    const again = await cluster.fleet("registry", "import", file);
    assert.match(again.stderr, /registry-not-empty/);
    for (const [machine, daemon] of MACHINES.flatMap((name) => DAEMONS.map((unit) => [name, unit] as const))) {
      const dropin = join(machineFolder(LAB_NAME, machine), "units", `${daemon}.d`);
      mkdirSync(dropin, { recursive: true });
      const line = "[Service]\nEnvironment=FLEET_REGISTRY=unix:/opt/fleet/shared/etcd.sock\n";
      writeFileSync(join(dropin, "registry.conf"), line);
    }
    await onAll("systemctl", "daemon-reload");
    await onAll("systemctl", "restart", "fleet-agent.service");
    await onAll("systemctl", "start", "fleet-engine.service");
    await eventually("every machine goes by etcd, in its new epoch", async () => {
      const { members, leader, identity } = await status();
      const isFollowed = members.every(({ present, problem }) => present && problem === null);
      return isFollowed && leader !== null && identity?.epoch === 2;
    });
    await cluster.commit("one more", { "units/later.service": service });
    await fleet("apply", "--auto-approve", "--timeout", "30s");
    const now = await invocations();
    assert.equal(now.size, running.size + 1);
    for (const [unit, invocation] of running) assert.equal(now.get(unit), invocation, unit);
    running = now;
  });

  test("wiped, and adopted from what the machines run", async () => {
    const etcdctl = [
      "env",
      "ETCDCTL_API=3",
      await thirdPartyBinary("etcdctl"),
      "--endpoints",
      `127.0.0.1:${etcd.port}`,
    ];
    await mustRun([...etcdctl, "del", "--prefix", "/fleet/hello/"]);
    await eventually("engine and machines say what happened", isRefused);
    assert.match(await fleet("status"), /holds no release\n.*engine: registry-replaced.*fleet registry adopt/s);
    assert.match((await cluster.fleet("apply", "--auto-approve")).stderr, /registry-replaced/);
    assert.deepEqual(await invocations(), running);
    const said = await fleet("registry", "adopt", "--auto-approve", "--timeout", "30s");
    assert.match(said, /raises the epoch to 3/);
    assert.match(said, /puts back release 2/);
    await fleet("apply", "--auto-approve", "--timeout", "30s");
    assert.deepEqual(await invocations(), running);
  });

  test("restored from an older backup: nothing stops, and nothing is placed before it is adopted", async () => {
    await etcd.backUp();
    await aDayOfWrites();
    await cluster.commit("one less", { "units/three.service": null });
    await fleet("apply", "--auto-approve", "--allow-deletes", "--timeout", "30s");
    const before = await invocations();
    assert.equal(before.size, running.size - 1);
    await etcd.restore();
    await eventually("engine and machines say what happened", isRefused);
    assert.deepEqual(await invocations(), before);
    const words = ["/opt/fleet/node", "/opt/fleet/app/fleet.js", "doctor", "--json", "--cluster", "hello"];
    const doctor = await labExec(LAB_NAME, "m1", [...words, "--registry", "unix:/opt/fleet/shared/etcd.sock"]);
    assert.match(doctor.stdout, /"code": "registry-replaced-here"/);
    const said = await fleet("registry", "adopt", "--auto-approve", "--timeout", "30s");
    assert.match(said, /puts back release 3/);
    assert.deepEqual(await invocations(), before);
    assert.match(await fleet("plan"), /no changes/i);
  });
});
