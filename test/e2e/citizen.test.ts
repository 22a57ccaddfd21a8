import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { machineFolder } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";

const UNITS = ["red.service", "blue.service"];
const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n";
/** The shipped limit is a minute: too long for a test. */
const SHORT_WATCHDOG = "[Service]\nWatchdogSec=3\n";
const SHIPPED_REGISTRY = join(import.meta.dirname, "../../packaging/systemd/fleet-registry.service");

describe("fleet's daemons as services of a machine", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    await cluster.commit("for one machine", {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      "units/red.service": SLEEPER,
      "units/blue.service": SLEEPER,
      "units/hello@.service": null,
    });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "30s");
    assert.equal(code, 0, stdout + stderr);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const inside = (...argv: string[]) => cluster.inside("m1", ...argv);
  const show = async (unit: string, property: string) =>
    (await inside("systemctl", "show", "--value", `--property=${property}`, "--", unit)).trim();
  const invocations = () => Promise.all(UNITS.map((unit) => show(unit, "InvocationID")));

  /** Entries of the journal as objects; a field with several values is a list. */
  const journal = async (...which: string[]): Promise<Record<string, string | string[]>[]> => {
    const text = await inside("journalctl", "-q", "-b", "-o", "json", ...which);
    return text
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line));
  };

  /** A drop-in of the machine's administrator. */
  const dropIn = async (unit: string, text: string): Promise<void> => {
    const folder = join(machineFolder(LAB_NAME, "m1"), "units", `${unit}.d`);
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, "test.conf"), text);
    await inside("systemctl", "daemon-reload");
  };

  test("are active because they said so, and are watched", async () => {
    for (const unit of ["fleet-agent", "fleet-engine"]) {
      assert.equal(await show(unit, "Type"), "notify");
      assert.equal(await show(unit, "ActiveState"), "active");
      assert.equal(await show(unit, "WatchdogUSec"), "1min");
    }
  });

  test("the engine that places is nobody on this machine", async () => {
    const [pid, user] = [await show("fleet-engine", "MainPID"), await show("fleet-engine", "DynamicUser")];
    assert.equal(user, "yes");
    const status = await inside("cat", `/proc/${pid}/status`);
    assert.doesNotMatch(status, /^Uid:\s+0\s/m);
    assert.match(status, /^CapBnd:\s+0+$/m);
    assert.equal((await cluster.status()).leader?.machine, (await inside("cat", "/etc/machine-id")).trim());
  });

  test("what the agent did to a unit stands among that unit's lines, with its priority", async () => {
    const entries = await eventually("the journal has it", async () => {
      const found = (await journal("-u", "red.service")).filter((entry) => entry.SYSLOG_IDENTIFIER === "fleet-agent");
      return found.length > 0 && found;
    });
    const start = entries.find((entry) => String(entry.MESSAGE).startsWith("start red.service"));
    assert.deepEqual([start?.UNIT, start?.PRIORITY], ["red.service", "6"]);
    assert.deepEqual([...(start?.OBJECT_SYSTEMD_UNIT ?? [])].sort(), ["fleet-agent.service", "red.service"]);
    const own = await journal("-u", "fleet-agent.service");
    const accepted = own.find((entry) => String(entry.MESSAGE).startsWith("accepted release 1"));
    assert.equal(accepted?.PRIORITY, "5");
    assert.ok(
      own.some((entry) => entry.MESSAGE === start?.MESSAGE),
      "and among the agent's own",
    );
  });

  test("an agent that is frozen is killed by the watchdog and comes back, and no unit notices", async () => {
    await dropIn("fleet-agent.service", SHORT_WATCHDOG);
    await inside("systemctl", "restart", "fleet-agent");
    const [frozen, running] = [await show("fleet-agent", "MainPID"), await invocations()];
    await eventually("it has looked at its units", async () =>
      /4 active$/.test(await show("fleet-agent", "StatusText")),
    );
    await inside("kill", "-STOP", frozen);
    await eventually("another one is ready", async () => {
      const pid = await show("fleet-agent", "MainPID");
      return pid !== "0" && pid !== frozen && (await show("fleet-agent", "ActiveState")) === "active";
    });
    const end = (await journal("_PID=1", "UNIT=fleet-agent.service")).map((entry) => String(entry.MESSAGE));
    assert.ok(
      end.some((message) => /Failed with result 'watchdog'/.test(message)),
      end.join("\n"),
    );
    await eventually("that one has looked as well", async () =>
      /4 active$/.test(await show("fleet-agent", "StatusText")),
    );
    assert.deepEqual(await invocations(), running);
  });

  test("an agent ends when it is stopped, also while it has things to say", async () => {
    await inside("systemctl", "restart", "fleet-agent");
    const running = await invocations();
    const [asked, ended] = ["ActiveExitTimestampMonotonic", "InactiveEnterTimestampMonotonic"];
    await inside("systemctl", "stop", "fleet-agent");
    const tookMs = (Number(await show("fleet-agent", ended)) - Number(await show("fleet-agent", asked))) / 1_000;
    assert.ok(tookMs < 5_000, `${tookMs} ms`);
    assert.equal(await show("fleet-agent", "Result"), "success");
    await inside("systemctl", "start", "fleet-agent");
    assert.deepEqual(await invocations(), running);
  });

  test("its signs of life outlast a systemd that executes itself anew", async () => {
    const before = await show("fleet-agent", "MainPID");
    await inside("systemctl", "daemon-reexec");
    const pinged = await show("fleet-agent", "WatchdogTimestampMonotonic");
    await eventually("it pings the new one, twice", async () => {
      const last = await show("fleet-agent", "WatchdogTimestampMonotonic");
      return Number(last) > Number(pinged) + 1_500_000;
    });
    assert.equal(await show("fleet-agent", "MainPID"), before);
  });

  test("the shipped registry lets the group fleet in, and nobody else", async () => {
    const unit = readFileSync(SHIPPED_REGISTRY, "utf8");
    const here = unit
      .replaceAll("/usr/lib/fleet/node", "/opt/fleet/node")
      .replaceAll("/usr/lib/fleet/", "/opt/fleet/app/");
    const own = here.replace(
      "registry serve",
      "registry serve --listen unix:/run/fleet/own.sock --data-directory /var/lib/fleet/registry",
    );
    writeFileSync(join(machineFolder(LAB_NAME, "m1"), "units", "fleet-registry.service"), own);
    await inside("systemctl", "daemon-reload");
    await inside("systemctl", "start", "fleet-registry");
    assert.equal((await inside("stat", "-c", "%U:%G %a", "/run/fleet/own.sock")).trim(), "root:fleet 660");
    const fleet = ["/opt/fleet/node", "/opt/fleet/app/fleet.js"];
    const asked = ["list-machines", "--cluster", "hello", "--registry", "unix:/run/fleet/own.sock"];
    const as = (...properties: string[]) =>
      inside("systemd-run", "--quiet", "--pipe", "--wait", "-p", "DynamicUser=yes", ...properties, ...fleet, ...asked);
    await as("-p", "SupplementaryGroups=fleet");
    await assert.rejects(as(), /registry/);
  });

  test("say how they are", async () => {
    await eventually("the status line tells of the release and its units", async () =>
      /^release 1 \([0-9a-f]{8}\): 5 units here, 4 active$/.test(await show("fleet-agent", "StatusText")),
    );
    await eventually("the engine's does", async () =>
      /^leads, term 1, places release 1$/.test(await show("fleet-engine", "StatusText")),
    );
  });
});
