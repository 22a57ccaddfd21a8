import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const ETC = "/etc/systemd/system";
const MACHINES = ["m1", "m2"] as const;
/** As many on each machine. */
const EACH = 30;
const UNITS = MACHINES.map((machine) => Array.from({ length: EACH }, (_, at) => `${machine}-app${at + 1}.service`));
const ALL = UNITS.flat();
const DROPIN = "[Service]\nTimeoutStopSec=7\n";

const text = (unit: string, program = "/bin/sleep infinity") =>
  `[Unit]\nDescription=${unit}\n\n[Service]\nExecStart=${program}\n\n[Install]\nWantedBy=multi-user.target\n`;
/** The same to systemd, as a person may have written it years ago. */
const byHand = (unit: string) =>
  `# ${unit}\n[Install]\nWantedBy=multi-user.target\n[Service]\nExecStart=/bin/sleep infinity\n`;

describe("taking over what machines run already", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 2);
    await Promise.all(MACHINES.map((machine, at) => install(machine, UNITS[at]!)));
    const examples = [
      "red.service",
      "blue.service",
      "hello@.service",
      "everywhere.service",
      "tick.service",
      "tick.timer",
    ];
    const gone = examples.map((unit) => [`units/${unit}`, null] as const);
    await cluster.commit("what runs", {
      ...Object.fromEntries(gone),
      ...Object.fromEntries(ALL.map((unit) => [`units/${unit}`, text(unit)])),
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\ndefaults: { adopt: true }\n",
    });
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  /** Files, a drop-in for the first unit, enabled and started, all in one go. */
  const install = async (machine: string, units: readonly string[]): Promise<void> => {
    const files = [
      ...units.map((unit) => [`${ETC}/${unit}`, byHand(unit)]),
      [`${ETC}/${units[0]}.d/10-stop.conf`, DROPIN],
    ];
    const writes = files.map(([path, content]) => `mkdir -p "$(dirname ${path})"; printf '%s' '${content}' > ${path}`);
    const script = `set -e\n${writes.join("\n")}\nsystemctl enable --now ${units.join(" ")}
# Looks around when it starts, and then once a minute.
systemctl restart fleet-agent`;
    await cluster.inside(machine, "/bin/sh", "-c", script);
  };

  const invocations = async (): Promise<Record<string, string>> => {
    const shown = await Promise.all(
      MACHINES.map(async (machine, at) => {
        const asked = ["--property=Id,InvocationID", "--", ...UNITS[at]!];
        const blocks = (await cluster.inside(machine, "systemctl", "show", ...asked)).trim().split("\n\n");
        return blocks.map((block) => [/^Id=(.*)$/m.exec(block)![1]!, /^InvocationID=(.*)$/m.exec(block)![1]!] as const);
      }),
    );
    return Object.fromEntries(shown.flat());
  };

  const reloads = async (machine: string): Promise<number> => {
    const journal = await cluster.inside(machine, "journalctl", "-q", "-b", "-o", "cat", "_PID=1");
    return journal.split("\n").filter((line) => /^Reloading\.+$/.test(line)).length;
  };

  const apply = () => cluster.fleet("apply", "--auto-approve", "--allow-deletes", "--timeout", "30s");

  let before60: Record<string, string>;

  test("60 of them become fleet's where they run: no restart, no reload, their files kept aside", async () => {
    before60 = await invocations();
    const read = await Promise.all(MACHINES.map(reloads));
    await cluster.commit("its drop-ins", {
      "units/m1-app1.service": `${text("m1-app1.service").replace("[Install]", "TimeoutStopSec=7\n\n[Install]")}`,
      "units/m2-app1.service": `${text("m2-app1.service").replace("[Install]", "TimeoutStopSec=7\n\n[Install]")}`,
    });
    const plan = await eventually("the machines have said what they run", async () => {
      const { stdout } = await cluster.fleet("plan");
      return /60 adopted/.test(stdout) && stdout;
    });
    assert.match(plan, /\b0 restarts\b/);
    const { code, stdout, stderr } = await apply();
    assert.equal(code, 0, stdout + stderr);
    assert.deepEqual(await invocations(), before60);
    assert.deepEqual(await Promise.all(MACHINES.map(reloads)), read);
    const left = await cluster.inside("m1", "/bin/sh", "-c", `cd ${ETC}; ls -d m1-app* */m1-app* 2>/dev/null || true`);
    assert.equal(left, "");
    const kept = `/var/lib/fleet/agent/adopted/m1-app1.service${ETC}`;
    assert.equal(await cluster.inside("m1", "cat", `${kept}/m1-app1.service.d/10-stop.conf`), DROPIN);
    assert.match(await cluster.inside("m1", "readlink", `${kept}/multi-user.target.wants/m1-app1.service`), /m1-app1/);
  });

  test("a later commit restarts the one it changes, and a daemon-reload by hand changes nothing", async () => {
    await cluster.inside("m2", "systemctl", "daemon-reload");
    await cluster.commit("another program", { "units/m1-app7.service": text("m1-app7.service", "/bin/sleep 100000") });
    const { code, stdout, stderr } = await apply();
    assert.equal(code, 0, stdout + stderr);
    const now = await invocations();
    assert.deepEqual(
      ALL.filter((unit) => now[unit] !== before60[unit]),
      ["m1-app7.service"],
    );
    assert.match(await cluster.inside("m1", "systemctl", "show", "-p", "ExecStart", "m1-app7.service"), /100000/);
  });

  test("one that differs is a conflict that names the directive, and is left as it is", async () => {
    const unit = "other.service";
    await cluster.inside(
      "m1",
      "/bin/sh",
      "-c",
      `printf '%s' '${byHand(unit)}' > ${ETC}/${unit}; systemctl start ${unit}`,
    );
    const invocation = () => cluster.inside("m1", "systemctl", "show", "-p", "InvocationID", unit);
    const started = await invocation();
    const here = "\n[X-Fleet]\nMachineID=m1\n";
    await cluster.commit("not the same", { [`units/${unit}`]: text(unit, "/bin/sleep 200000").concat(here) });
    const { code, stdout, stderr } = await cluster.fleet("apply", "--auto-approve", "--timeout", "5s");
    assert.notEqual(code, 0, stdout + stderr);
    assert.match(stdout + stderr, /differs in \[Service\] ExecStart=/);
    assert.equal(await invocation(), started);
    assert.equal(await cluster.inside("m1", "cat", `${ETC}/${unit}`), byHand(unit));
  });
});
