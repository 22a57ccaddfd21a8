import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { machineFolder, readLab } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const TTL_S = 10;
const STOP_AFTER_S = 4;
/** Two steps of a second each: what `stubborn` takes nearly whole. */
const STOP_S = 2;
/** What the bound has to spare, and what it takes us to ask. */
const SPARE_S = 3;

const SINGLE = "single.service";
const STUBBORN = "stubborn.service";
const KEPT = "kept.service";
const DAEMONS = ["fleet-agent.service", "fleet-engine.service"];

const single = (pin: string) =>
  "[Service]\nExecStart=/bin/sh -c 'echo token is $FLEET_FENCE_TOKEN; exec sleep infinity'\nTimeoutStopSec=1\n" +
  `[X-Fleet]\nOnDisconnect=stop-after=${STOP_AFTER_S}s\n${pin}\n`;
/** Its main process takes most of a step to end, and its child ignores SIGTERM. */
const stubborn =
  '[Service]\nExecStart=/bin/sh -c \'(trap "" TERM; exec sleep infinity) & trap "sleep 0.8; exit" TERM; wait\'\n' +
  `TimeoutStopSec=1\n[X-Fleet]\nMachineOf=${SINGLE}\nOnDisconnect=stop-after=${STOP_AFTER_S}s\n`;
const kept = `[Service]\nExecStart=/bin/sleep infinity\n[X-Fleet]\nMachineOf=${SINGLE}\n`;

describe("a unit that runs at most once", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 2);
    for (const machine of ["m1", "m2"]) {
      for (const daemon of DAEMONS) {
        setOnDisk(machine, `${daemon}.d/ttl.conf`, `[Service]\nEnvironment=FLEET_AGENT_TTL=${TTL_S}s\n`);
      }
      await cluster.inside(machine, "systemctl", "daemon-reload");
      await cluster.inside(machine, "systemctl", "restart", ...DAEMONS);
    }
    const gone = ["red.service", "blue.service", "everywhere.service", "hello@.service", "tick.service", "tick.timer"];
    await release({
      "fleet.yaml": `apiVersion: fleet/v1\ncluster: hello\nloss: { agentTtl: ${TTL_S}s }\n`,
      ...Object.fromEntries(gone.map((name) => [`units/${name}`, null])),
      [`units/${SINGLE}`]: single("MachineMetadata=machine=m1"),
      [`units/${STUBBORN}`]: stubborn,
      [`units/${KEPT}`]: kept,
    });
  });

  afterEach(async (context) => {
    if ((context as { passed?: boolean }).passed) return;
    const words = [
      "journalctl",
      "-q",
      "-b",
      "-o",
      "short-iso-precise",
      "-u",
      "fleet-lease@*",
      "-u",
      SINGLE,
      "-u",
      STUBBORN,
    ];
    console.error(await cluster.report(), await cluster.inside("m1", ...words));
  });

  after(async () => cluster?.down());

  const release = async (files: Readonly<Record<string, string | null>>): Promise<void> => {
    await cluster.commit("a change", files);
    const words = ["apply", "--auto-approve", "--allow-deletes", "--timeout", "30s"];
    const { code, stdout, stderr } = await cluster.fleet(...words);
    assert.equal(code, 0, stdout + stderr);
  };

  const setOnDisk = (machine: string, path: string, text: string): void => {
    const whole = join(machineFolder(LAB_NAME, machine), "units", path);
    mkdirSync(join(whole, ".."), { recursive: true });
    writeFileSync(whole, text);
  };

  const show = async (machine: string, unit: string, property: string): Promise<string> =>
    (await cluster.inside(machine, "systemctl", "show", "--value", `--property=${property}`, "--", unit)).trim();

  const isUp = async (machine: string, unit: string) => (await show(machine, unit, "ActiveState")) === "active";
  const areGone = async (machine: string) => {
    const states = await Promise.all([SINGLE, STUBBORN].map((unit) => show(machine, unit, "ActiveState")));
    return states.every((state) => state === "inactive" || state === "failed");
  };

  const token = async (machine: string): Promise<number> => {
    const said = await cluster.inside(machine, "journalctl", "-q", "-b", "-o", "cat", "-u", SINGLE);
    const tokens = [...said.matchAll(/^token is (\d+)$/gm)].map(([, digits]) => Number(digits));
    return tokens.at(-1) ?? assert.fail(`no token in ${said}`);
  };

  /** Both are gone from the machine within the bound from now on, without a process left. */
  const endInTime = async (machine: string): Promise<void> => {
    const limitMs = (STOP_AFTER_S + STOP_S + SPARE_S) * 1_000;
    await eventually(`systemd has ended what runs at most once on ${machine}`, () => areGone(machine), limitMs);
    for (const unit of [SINGLE, STUBBORN]) assert.equal(await show(machine, unit, "ControlGroup"), "");
  };

  const runAgain = (machine: string) =>
    eventually(`both run again on ${machine}`, async () => (await isUp(machine, SINGLE)) && isUp(machine, STUBBORN));

  const registry = (): number =>
    readLab(LAB_NAME)?.processes.find(({ role }) => role === "registry")?.pid ?? assert.fail("the lab has no registry");

  test("stops with the registry, nobody else does, and it is back when that is", async () => {
    await runAgain("m1");
    const before = await show("m1", KEPT, "InvocationID");
    process.kill(registry(), "SIGSTOP");
    try {
      await endInTime("m1");
      // By hand it waits for a lease, for longer than we wait.
      await assert.rejects(cluster.inside("m1", "timeout", "1", "systemctl", "start", SINGLE), /ended with 124/);
      assert.ok(await areGone("m1"));
    } finally {
      process.kill(registry(), "SIGCONT");
    }
    await runAgain("m1");
    assert.equal(await show("m1", KEPT, "InvocationID"), before);
  });

  test("stops when the agent was killed and does not come back", async () => {
    const before = await show("m1", KEPT, "InvocationID");
    const dropin = "/run/systemd/system/fleet-agent.service.d";
    const text = "[Service]\\nRestart=no\\n";
    await cluster.inside("m1", "sh", "-c", `mkdir -p ${dropin} && printf '${text}' > ${dropin}/no.conf`);
    await cluster.inside("m1", "systemctl", "daemon-reload");
    await cluster.inside("m1", "systemctl", "kill", "--signal=KILL", "fleet-agent.service");
    await endInTime("m1");
    await cluster.inside("m1", "rm", "-r", dropin);
    await cluster.inside("m1", "systemctl", "daemon-reload");
    await cluster.inside("m1", "systemctl", "start", "fleet-agent.service");
    await runAgain("m1");
    assert.equal(await show("m1", KEPT, "InvocationID"), before);
  });

  /** The last process of all on the one was gone before the first began on the other. Both clocks are the host's. */
  const inTurn = async (from: string, to: string): Promise<void> => {
    const stopped = await Promise.all([SINGLE, STUBBORN].map((u) => show(from, u, "InactiveEnterTimestampMonotonic")));
    const started = await Promise.all([SINGLE, STUBBORN].map((u) => show(to, u, "ActiveEnterTimestampMonotonic")));
    const [end, begin] = [Math.max(...stopped.map(Number)), Math.min(...started.map(Number))];
    assert.ok(end < begin, `ended on ${from} at ${end} us, started on ${to} at ${begin} us`);
  };

  test("moves to another machine once the first has said that it is down, with a greater token", async () => {
    const old = await token("m1");
    await release({ [`units/${SINGLE}`]: single("MachineMetadata=machine=m2") });
    await runAgain("m2");
    await inTurn("m1", "m2");
    assert.ok((await token("m2")) > old);
  });

  test("a frozen agent keeps nothing alive, and lets what is kept run: it is gone before it starts elsewhere", async () => {
    await release({ [`units/${SINGLE}`]: single("") });
    const before = await show("m2", KEPT, "InvocationID");
    const old = await token("m2");
    await cluster.inside("m2", "systemctl", "kill", "--signal=STOP", "fleet-agent.service");
    await endInTime("m2");
    assert.equal(await show("m2", KEPT, "InvocationID"), before);
    await runAgain("m1");
    await inTurn("m2", "m1");
    assert.ok((await token("m1")) > old);
    await cluster.inside("m2", "systemctl", "kill", "--signal=CONT", "fleet-agent.service");
    await eventually("the kept one is where it was assigned, and only there", async () => !(await isUp("m2", KEPT)));
    assert.ok(await areGone("m2"));
  });

  test("does not start after a boot whose agent cannot ask, while what is kept does", async () => {
    const edit = (unit: string, from: string, to: string): void => {
      const path = join(machineFolder(LAB_NAME, "m1"), "units", unit);
      writeFileSync(path, readFileSync(path, "utf8").replace(from, to));
    };
    await cluster.lab("kill", "m1");
    for (const daemon of DAEMONS) edit(daemon, "ExecStart=/opt/fleet/node ", "ExecStart=/opt/fleet/gone ");
    edit("fleet-restore.service", "FLEET_RESTORE_AFTER=60", "FLEET_RESTORE_AFTER=1");
    await cluster.lab("revive", "m1");
    await eventually("the kept one runs", () => isUp("m1", KEPT));
    assert.ok(await areGone("m1"));
  });
});
