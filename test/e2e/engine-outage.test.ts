import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { connect, createServer, type Server } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { lossThresholds } from "../../src/domain/loss/damping.ts";
import type { EngineReport } from "../../src/domain/report/engine-report.ts";
import { labCable } from "../../src/lab/lab.ts";
import { machineFolder, needLab } from "../../src/lab/lab-state.ts";
import { mustRun } from "../../src/lab/run-program.ts";
import { EtcdProcess } from "../contract/etcd-process.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { RegistryWrites } from "./registry-writes.ts";

const MACHINES = Array.from({ length: 10 }, (_, index) => `m${index + 1}`);
/** On the others an engine would only cost time. */
const WITH_ENGINE = ["m1", "m2", "m10"];
const ROOT = "/fleet/hello/";
/** Of what a lab asks for, what engines take: leases of machines that are cut off together end up to a third of one apart. */
const { graceMs: GRACE_MS } = lossThresholds({ agentTtlMs: 3_000, graceMs: 1_000 });
const MANIFEST = "apiVersion: fleet/v1\ncluster: hello\n";
const UNITS = Array.from({ length: 20 }, (_, index) => `free-${index}.service`);
const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n";

const skip =
  labSkipReason() ||
  (await Promise.all([thirdPartyBinary("etcd-3.4"), thirdPartyBinary("etcdctl")]).then(
    () => false as const,
    (error: Error) => error.message,
  ));

describe("ten machines of which many are silent at once", { skip, concurrency: false }, () => {
  let etcd: EtcdProcess;
  let cluster: ClusterOnLab;
  let writes: RegistryWrites;
  let bridge: Server;

  before(async () => {
    etcd = await EtcdProcess.start("3.4");
    cluster = await ClusterOnLab.up("hello", MACHINES.length, etcd.address, async (up) => {
      cluster = up;
      bridge = await overTheBridge();
      await Promise.all(MACHINES.map(followOverTheBridge));
    });
    const gone = ["red.service", "blue.service", "everywhere.service", "hello@.service", "tick.service", "tick.timer"];
    await cluster.commit("twenty units", {
      "fleet.yaml": MANIFEST,
      ...Object.fromEntries(gone.map((name) => [`units/${name}`, null])),
      ...Object.fromEntries(UNITS.map((name) => [`units/${name}`, SLEEPER])),
    });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "60s");
    assert.equal(code, 0, stdout + stderr);
    writes = await RegistryWrites.from(etcd.address, ROOT);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    await writes?.end();
    bridge?.close();
    await cluster?.down();
    await etcd?.remove();
  });

  /** The lab's own way to an etcd is a folder that machines share with the host: no cable that one could pull. */
  async function overTheBridge(): Promise<Server> {
    const server = createServer((client) => {
      const upstream = connect(etcd.port, "127.0.0.1");
      client.pipe(upstream).pipe(client);
      client.on("error", () => upstream.destroy());
      upstream.on("error", () => client.destroy());
    });
    await new Promise<void>((resolve) => server.listen(0, needLab(LAB_NAME).hostAddress, resolve));
    return server;
  }

  async function followOverTheBridge(machine: string): Promise<void> {
    const { address, port } = bridge.address() as { address: string; port: number };
    for (const daemon of ["fleet-agent.service", "fleet-engine.service"]) {
      const folder = join(machineFolder(LAB_NAME, machine), "units", `${daemon}.d`);
      mkdirSync(folder);
      writeFileSync(join(folder, "bridge.conf"), `[Service]\nEnvironment=FLEET_REGISTRY=etcd://${address}:${port}\n`);
    }
    await cluster.inside(machine, "systemctl", "daemon-reload");
    await cluster.inside(machine, "systemctl", "restart", "fleet-agent.service");
    const act = WITH_ENGINE.includes(machine) ? "restart" : "stop";
    await cluster.inside(machine, "systemctl", act, "fleet-engine.service");
  }

  /** `unit/machine` → invocation of everything of ours that runs. */
  const invocations = async (): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    const properties = "--property=Id,ActiveState,InvocationID";
    for (const machine of MACHINES) {
      const shown = await cluster.inside(machine, "systemctl", "show", properties, "--", ...UNITS);
      for (const block of shown.trim().split("\n\n")) {
        const value = Object.fromEntries(block.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
        if (value.ActiveState === "active") found.set(`${value.Id}/${machine}`, value.InvocationID);
      }
    }
    return found;
  };

  const placed = (after: number) =>
    [`${ROOT}assign/`, `${ROOT}placements/`].flatMap((prefix) => writes.of(prefix, after)).map(({ key }) => key);
  /** The last word on each machine's presence after a revision: whether it is there, and when that was heard. */
  const presences = (after: number) => new Map(writes.of(`${ROOT}presence/`, after).map((write) => [write.key, write]));

  /** The last word of whoever leads after a revision, or undefined. */
  const report = (after: number): EngineReport | undefined => {
    const last = writes.of(`${ROOT}engine/report`, after).findLast(({ value }) => value !== null);
    return last === undefined ? undefined : (JSON.parse(last.value!) as EngineReport);
  };

  const missesNobody = (after: number) =>
    eventually("the engine says that it misses nobody", async () => {
      const said = report(after);
      return said !== undefined && said.loss === undefined && said.absent === undefined;
    });

  test("every lease revoked at once moves nothing", async () => {
    const etcdctl = async (...words: string[]): Promise<string> => {
      const argv = ["env", "ETCDCTL_API=3", await thirdPartyBinary("etcdctl"), "--endpoints", `127.0.0.1:${etcd.port}`];
      return mustRun([...argv, ...words]);
    };
    const [before, from] = [await invocations(), await writes.revision()];
    assert.equal(before.size, UNITS.length);
    const leases = (await etcdctl("lease", "list")).split("\n").filter((line) => /^[0-9a-f]{8,}$/.test(line));
    assert.ok(leases.length >= MACHINES.length + WITH_ENGINE.length, `${leases.length} leases`);
    await Promise.all(leases.map((lease) => etcdctl("lease", "revoke", lease)));
    const leader = await eventually("an engine leads anew, and every machine is there again", async () => {
      const there = [...presences(from).values()].filter(({ value }) => value !== null);
      const leaders = writes.of(`${ROOT}engine/leader`, from).filter(({ value }) => value !== null);
      return there.length === MACHINES.length && leaders.at(-1);
    });
    await missesNobody(leader.revision);
    assert.deepEqual(placed(from), []);
    assert.deepEqual(await invocations(), before);
  });

  test("five of ten cut off at once move nothing, and when they return, nothing restarts", async () => {
    const [before, from] = [await invocations(), await writes.revision()];
    const { leader, members } = await cluster.status();
    const leading = members.find(({ id }) => id === leader?.machine)?.name;
    const cut = MACHINES.filter((machine) => machine !== leading).slice(0, 5);
    await Promise.all(cut.map((machine) => labCable(LAB_NAME, machine, "down")));
    const silentMs = await eventually("the leases of all five have ended", async () => {
      const silent = [...presences(from).values()].filter(({ value }) => value === null);
      return silent.length === cut.length && Math.max(...silent.map(({ heardMs }) => heardMs));
    });
    await eventually("the grace of all is over", async () => monotonicMs() - silentMs > 2 * GRACE_MS);
    assert.deepEqual([report(from)?.loss?.mode, report(from)?.loss?.outage?.missing], ["partial-outage", cut.length]);
    assert.deepEqual(placed(from), []);
    assert.deepEqual(await invocations(), before);
    await Promise.all(cut.map((machine) => labCable(LAB_NAME, machine, "up")));
    await eventually("all five are back", async () => {
      return [...presences(from).values()].filter(({ value }) => value !== null).length === cut.length;
    });
    await missesNobody(from);
    assert.deepEqual(placed(from), []);
    assert.deepEqual(await invocations(), before);
  });
});
