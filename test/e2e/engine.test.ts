import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { lossThresholds } from "../../src/domain/loss/damping.ts";
import { cgroupFolder } from "../../src/lab/boot-machine.ts";
import { EtcdProcess } from "../contract/etcd-process.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { monotonicMs } from "./monotonic-ms.ts";
import { RegistryWrites } from "./registry-writes.ts";
import { UnitStarts } from "./unit-starts.ts";

const MACHINES = ["m1", "m2", "m3"];
const ROOT = "/fleet/hello/";
/** A lab's; the leader's is no longer. */
const LEASE_MS = 3_000;
/** Of what a lab asks for, what engines take. */
const { graceMs: GRACE_MS } = lossThresholds({ agentTtlMs: LEASE_MS, graceMs: 1_000 });

const sleeper = "[Service]\nExecStart=/bin/sleep infinity\n";
const numbered = (word: string, count: number) =>
  Array.from({ length: count }, (_, index) => `${word}-${String(index).padStart(3, "0")}.service`);
const filesOf = (units: readonly string[], text: string | null) =>
  Object.fromEntries(units.map((unit) => [`units/${unit}`, text]));
/** What is on the machine that is lost. */
const MOVING = numbered("moving", 250);
const STAYING = numbered("staying", 20);
/** So many that placing them takes several transactions; they are loaded only, which costs a machine little. */
const LOADED = numbered("loaded", 300);
const MANIFEST = "apiVersion: fleet/v1\ncluster: hello\n";

const skip =
  labSkipReason() ||
  (await thirdPartyBinary("etcd-3.4").then(
    () => false as const,
    (error: Error) => error.message,
  ));

describe("an engine that can be left alone", { skip, concurrency: false }, () => {
  let etcd: EtcdProcess;
  let cluster: ClusterOnLab;
  let writes: RegistryWrites;

  before(async () => {
    etcd = await EtcdProcess.start("3.4");
    cluster = await ClusterOnLab.up("hello", MACHINES.length, etcd.address);
    const examples = ["red", "blue", "everywhere", "hello@", "tick"].map((name) => `${name}.service`);
    await release({
      "fleet.yaml": `${MANIFEST}admit: any\nmachines: { m2: { cordon: true }, m3: { cordon: true } }\n`,
      ...filesOf([...examples, "tick.timer"], null),
      ...filesOf(MOVING, sleeper),
    });
    await release({ "fleet.yaml": MANIFEST, ...filesOf(STAYING, sleeper) });
    // A leader that died with the machine would be followed by one that holds back first: here it is the loss that is measured.
    await cluster.inside("m1", "systemctl", "stop", "fleet-engine.service");
    await eventually("another engine leads", async () => {
      const { leader, members } = await cluster.status();
      return leader !== null && members.find(({ id }) => id === leader.machine)?.name !== "m1";
    });
    writes = await RegistryWrites.from(etcd.address, ROOT);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    await writes?.end();
    await cluster?.down();
    await etcd?.remove();
  });

  const release = async (files: Readonly<Record<string, string | null>>, ...options: string[]): Promise<void> => {
    await cluster.commit("a change", files);
    const words = ["apply", "--auto-approve", "--allow-deletes", "--timeout", "60s", ...options];
    const { code, stdout, stderr } = await cluster.fleet(...words);
    assert.equal(code, 0, stdout + stderr);
  };

  /** `unit/machine` → invocation of everything of these that runs. */
  const invocations = async (units: readonly string[], machines = MACHINES): Promise<Map<string, string>> => {
    const found = new Map<string, string>();
    const properties = "--property=Id,ActiveState,InvocationID";
    for (const machine of machines) {
      const shown = await cluster.inside(machine, "systemctl", "show", properties, "--", ...units);
      for (const block of shown.trim().split("\n\n")) {
        const value = Object.fromEntries(block.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
        if (value.ActiveState === "active") found.set(`${value.Id}/${machine}`, value.InvocationID);
      }
    }
    return found;
  };

  const placed = (after: number) =>
    [`${ROOT}assign/`, `${ROOT}placements/`].flatMap((prefix) => writes.of(prefix, after));
  const leaderships = (after: number) =>
    writes.of(`${ROOT}engine/leader`, after).filter((write) => write.value !== null);

  const leading = async (): Promise<string> => {
    const { leader, members } = await cluster.status();
    return members.find(({ id }) => id === leader?.machine)?.name ?? assert.fail("no engine leads");
  };

  /** As the host numbers it. */
  const engineOn = (machine: string): number =>
    Number(
      readFileSync(
        join(cgroupFolder(LAB_NAME, machine), "system.slice/fleet-engine.service/cgroup.procs"),
        "utf8",
      ).split("\n")[0],
    );

  const engineLog = (machine: string): Promise<string> =>
    cluster.inside(machine, "journalctl", "-q", "-b", "-o", "cat", "-u", "fleet-engine");

  test("a leader that is frozen for three lease times in the midst of its writes adds nothing to those of the next", async (t) => {
    const stale = await leading();
    const pid = engineOn(stale);
    const from = await writes.revision();
    let stoppedMs: number | null = null;
    writes.onWrite = ({ key }) => {
      if (stoppedMs !== null || !key.startsWith(`${ROOT}placements/`)) return;
      process.kill(pid, "SIGSTOP");
      stoppedMs = monotonicMs();
    };
    try {
      const loaded = LOADED.map((unit) => `  ${unit}: { state: loaded }\n`).join("");
      await release({ "fleet.yaml": `${MANIFEST}units:\n${loaded}`, ...filesOf(LOADED, sleeper) }, "--detach");
      const next = await eventually("another engine leads", async () => leaderships(from)[0]);
      const before = new Set(
        placed(from)
          .filter(({ revision }) => revision < next.revision)
          .map(({ revision }) => revision),
      );
      t.diagnostic(`frozen after ${before.size} transactions`);
      await eventually("the next leader has placed everything, and the first was frozen for three leases", async () => {
        const assigned = new Set(writes.of(`${ROOT}assign/loaded-`, from).map(({ key }) => key));
        return assigned.size === LOADED.length && monotonicMs() - stoppedMs! > 3 * LEASE_MS;
      });
      process.kill(pid, "SIGCONT");
      await eventually("the first knows that it leads no more", async () =>
        /leads no more/.test(await engineLog(stale)),
      );
      const logs = await Promise.all(MACHINES.filter((name) => name !== stale).map(engineLog));
      const { term } = JSON.parse(next.value!) as { term: number };
      const now = logs
        .map((log) => log.split(new RegExp(`^leads, term ${term}$`, "m"))[1])
        .find((log) => log !== undefined);
      assert.equal(leaderships(from).length, 1, "one has led since");
      assert.ok(!/met somebody newer/.test(now!));
      const told = [...now!.matchAll(/ in (\d+) transactions$/gm)].reduce((sum, [, count]) => sum + Number(count), 0);
      await eventually("everything that was written has been heard", async () => {
        const last = Math.max(...writes.all.map(({ revision }) => revision));
        return last >= (await writes.revision());
      });
      assert.equal(new Set(placed(next.revision).map(({ revision }) => revision)).size, told);
      assert.ok(told > 0);
    } finally {
      writes.onWrite = () => {};
      process.kill(pid, "SIGCONT");
    }
  });

  test("a machine that dies has its 250 units moved once, and nothing else is started", async (t) => {
    const survivors = ["m2", "m3"];
    assert.equal((await invocations(MOVING, ["m1"])).size, MOVING.length);
    const staying = await invocations(STAYING, survivors);
    assert.equal(staying.size, STAYING.length);
    const starts = survivors.map((machine) => new UnitStarts(cluster, machine));
    const cursors = await Promise.all(starts.map((machine) => machine.cursor()));
    const from = await writes.revision();
    await cluster.lab("kill", "m1");
    await eventually(
      "all run on the other machines",
      async () => (await invocations(MOVING, survivors)).size === MOVING.length,
    );
    const silent =
      writes.of(`${ROOT}presence/`, from).find(({ value }) => value === null) ?? assert.fail("nobody is missed");
    const entered = (
      await Promise.all(starts.map((machine) => machine.show("ActiveEnterTimestampMonotonic", MOVING)))
    ).flat();
    const started = entered.map((microseconds) => Number(microseconds) / 1_000);
    const placedMs = writes.of(`${ROOT}assign/moving-`, from).map(({ heardMs }) => heardMs);
    const [first, last, ran] = [Math.min(...placedMs), Math.max(...placedMs), Math.max(...started)].map((ms) =>
      Math.round(ms - silent.heardMs - GRACE_MS),
    );
    t.diagnostic(
      `ms from the verdict (its lease's end and the grace): placed ${first} to ${last}, the last of 250 runs ${ran}`,
    );
    const counts = (await Promise.all(starts.map((machine, index) => machine.since(cursors[index]!)))).flatMap(
      (one) => [...one],
    );
    assert.deepEqual(
      counts.filter(([unit]) => !unit.startsWith("fleet-")).sort(),
      MOVING.map((unit) => [unit, 1]),
    );
    assert.deepEqual(await invocations(STAYING, survivors), staying);
  });
});
