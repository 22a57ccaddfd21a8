import assert from "node:assert/strict";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { machineFolder } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const NODE = "/opt/fleet/node";
const GONE = "/opt/fleet/gone";
const UNITS = ["red.service", "blue.service", "everywhere.service"];
const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n";
/** Starts after another one and needs what the agent says of its machine, which a boot takes away. */
const BLUE = `[Unit]\nAfter=red.service\n${SLEEPER}EnvironmentFile=/run/fleet/machine.env\n`;

describe("a machine that boots without a working agent", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    await cluster.commit("for one machine", {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      "units/red.service": SLEEPER,
      "units/blue.service": BLUE,
      "units/hello@.service": null,
    });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "30s");
    assert.equal(code, 0, stdout + stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  /** In the machine's own /etc/systemd/system, which lies on its disk. */
  const edit = (unit: string, from: string, to: string): void => {
    const path = join(machineFolder(LAB_NAME, "m1"), "units", unit);
    const text = readFileSync(path, "utf8");
    assert.ok(text.includes(from), `${unit} has no ${from}`);
    writeFileSync(path, text.replace(from, to));
  };

  const show = async (property: string): Promise<string[]> => {
    const asked = await cluster.inside("m1", "systemctl", "show", "--value", `--property=${property}`, "--", ...UNITS);
    return asked.trim().split(/\n+/);
  };
  const areActive = async () => (await show("ActiveState")).every((state) => state === "active");

  let restored: string[];

  test("starts what it ran last, from a shell script alone", async () => {
    await eventually("the units run", areActive);
    await eventually("the set is on disk", async () => {
      const set = await cluster.inside("m1", "cat", "/var/lib/fleet/agent/boot-set");
      return UNITS.every((unit) => set.includes(`\nstart ${unit}\n`));
    });
    await cluster.lab("kill", "m1");
    for (const role of ["agent", "engine"]) edit(`fleet-${role}.service`, `ExecStart=${NODE} `, `ExecStart=${GONE} `);
    edit("fleet-restore.service", "FLEET_RESTORE_AFTER=60", "FLEET_RESTORE_AFTER=2");
    await cluster.lab("revive", "m1");
    await eventually("the units run again", areActive);
    await eventually("the script has ended", async () => {
      const state = await cluster.inside("m1", "systemctl", "show", "--value", "-p", "ActiveState", "fleet-restore");
      return state.trim() === "inactive";
    });
    const said = await cluster.inside("m1", "journalctl", "-q", "-b", "-o", "cat", "-u", "fleet-restore");
    assert.match(said, /restoring the last set/);
    assert.match(said, /0 failures/);
    // It is tried again every few seconds, and has no status while it is.
    await eventually("systemd says that the agent's program is not there", async () => {
      const agent = await cluster.inside("m1", "systemctl", "show", "--value", "-p", "ExecMainStatus", "fleet-agent");
      return agent.trim() === "203";
    });
    restored = await show("InvocationID");
  });

  test("the agent that comes back takes them as they run", async () => {
    for (const role of ["agent", "engine"]) edit(`fleet-${role}.service`, `ExecStart=${GONE} `, `ExecStart=${NODE} `);
    await cluster.inside("m1", "systemctl", "daemon-reload");
    await cluster.inside("m1", "systemctl", "reset-failed");
    await cluster.inside("m1", "systemctl", "restart", "fleet-agent", "fleet-engine");
    await eventually("the agent is ready", async () =>
      cluster.inside("m1", "cat", "/run/fleet-agent/ready").then(
        () => true,
        () => false,
      ),
    );
    await eventually("the cluster sees them run", async () => {
      const { units } = await cluster.status();
      const own = units.filter(({ unit }) => UNITS.includes(unit));
      return (
        own.length === UNITS.length && own.every((unit) => unit.active === "active" && unit.hash === unit.wantedHash)
      );
    });
    assert.deepEqual(await show("InvocationID"), restored);
  });

  test("what it does afterwards is what is applied, also removing", async () => {
    await cluster.commit("without red", { "units/red.service": null });
    const { code, stdout, stderr } = await cluster.fleet(
      "apply",
      "--auto-approve",
      "--allow-deletes",
      "--timeout",
      "30s",
    );
    assert.equal(code, 0, stdout + stderr);
    const [red] = await show("ActiveState");
    assert.equal(red, "inactive");
    await eventually("the set on disk has forgotten it", async () => {
      const set = await cluster.inside("m1", "cat", "/var/lib/fleet/agent/boot-set");
      return !/^(start .*|file .*\/)red\.service$/m.test(set) && set.includes("\nstart blue.service\n");
    });
    assert.deepEqual((await show("InvocationID")).slice(-2), restored.slice(-2));
  });
});
