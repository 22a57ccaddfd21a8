import assert from "node:assert/strict";
import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, afterEach, before, beforeEach, describe, test } from "node:test";
import { machineFolder } from "../../src/lab/lab-state.ts";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, LAB_NAME, labSkipReason } from "./lab-name.ts";
import { UnitStarts } from "./unit-starts.ts";

const CHANGING = ["change-1.service", "change-2.service", "change-3.service"];
const STAYING = ["stay-1.service", "stay-2.service"];
const SYSTEMD_FOLDER = "/run/systemd/system";
const ALL = [...CHANGING, ...STAYING];
const service = (n: number) => `[Unit]\nDescription=${n}\n\n[Service]\nExecStart=/bin/sleep infinity ${n}\n`;

describe("an agent among what fails around it", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;
  let systemd: UnitStarts;
  let commit = 0;
  /** As each test begins. */
  let running: string[];
  let since: string;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    systemd = new UnitStarts(cluster, "m1");
    const gone = ["hello@.service", "red.service", "blue.service", "everywhere.service", "tick.service", "tick.timer"];
    await cluster.commit("for one machine", {
      "fleet.yaml": "apiVersion: fleet/v1\ncluster: hello\n",
      ...Object.fromEntries(gone.map((name) => [`units/${name}`, null])),
      ...Object.fromEntries(STAYING.map((name) => [`units/${name}`, service(0)])),
    });
    await change();
  });

  beforeEach(async () => {
    running = await invocations(ALL);
    since = await systemd.cursor();
  });

  afterEach(async (context) => {
    if ((context as { passed?: boolean }).passed) return;
    console.error(await cluster.report());
    console.error(await inside("journalctl", "-q", "-n", "60", "-o", "short-precise", "_PID=1"));
  });

  after(async () => cluster?.down());

  const inside = (...argv: string[]) => cluster.inside("m1", ...argv);
  const invocations = (units: readonly string[]) => systemd.show("InvocationID", units);
  const agentPid = async () => (await systemd.show("MainPID", ["fleet-agent"]))[0]!;

  const commitNext = (): Promise<string> =>
    cluster.commit(
      `commit ${++commit}`,
      Object.fromEntries(CHANGING.map((name) => [`units/${name}`, service(commit)])),
    );

  const apply = (timeout: string) => cluster.fleet("apply", "--auto-approve", "--allow-deletes", "--timeout", timeout);

  /** A commit that changes some units, until the command line says that the cluster has converged. */
  const change = async (): Promise<void> => {
    await commitNext();
    const { code, stdout, stderr } = await apply("40s");
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout + stderr, /converged/);
  };

  /** Each changed unit was started once, with its new text, and so were the `others`; the rest not at all. */
  const changedOnce = async (others: readonly string[] = []): Promise<void> => {
    const counts = await systemd.since(since);
    const expected = ALL.map((unit) => (CHANGING.includes(unit) || others.includes(unit) ? 1 : 0));
    assert.deepEqual(
      ALL.map((unit) => counts.get(unit) ?? 0),
      expected,
      `starts of ${ALL}`,
    );
    assert.deepEqual(await invocations(STAYING), running.slice(CHANGING.length));
    const pids = await systemd.show("MainPID", CHANGING);
    const commands = await inside(
      "sh",
      "-c",
      'for pid; do tr "\\0" " " < /proc/$pid/cmdline; echo; done',
      "sh",
      ...pids,
    );
    assert.equal(commands, CHANGING.map(() => `/bin/sleep infinity ${commit} \n`).join(""));
  };

  const untouched = async (): Promise<void> => assert.deepEqual(await invocations(ALL), running);

  /** Ends the agent in some way, and waits until the next one has looked at everything, and is heard of. */
  const newAgent = async (end: () => Promise<unknown>): Promise<string> => {
    const before = await agentPid();
    await inside("rm", "-f", "/run/fleet-agent/ready");
    await end();
    const pid = await eventually("there is another agent", async () => {
      const now = await agentPid();
      return now !== before && now !== "0" && now;
    });
    await eventually("it has looked at its units", async () =>
      inside("ls", "/run/fleet-agent").then((names) => /^ready$/m.test(names)),
    );
    await eventually("its machine is present", async () =>
      (await cluster.status()).members.every(({ present }) => present),
    );
    return pid;
  };

  test("killed when it has nothing to do, again and again: no unit notices (fault 41)", async () => {
    for (let time = 0; time < 2; time++) {
      await newAgent(() => inside("systemctl", "kill", "--signal=KILL", "--kill-who=main", "fleet-agent"));
      await untouched();
    }
    await change();
    await changedOnce();
  });

  test("stopped, and started as another version: no unit notices (fault 43)", async () => {
    await inside("systemctl", "stop", "fleet-agent");
    await untouched();
    const folder = join(machineFolder(LAB_NAME, "m1"), "units", "fleet-agent.service.d");
    mkdirSync(folder);
    const next = "[Service]\nExecStart=\nExecStart=/opt/fleet/node /opt/fleet/next/fleet.js agent\n";
    writeFileSync(join(folder, "next.conf"), next);
    await inside("cp", "-r", "/opt/fleet/app", "/opt/fleet/next");
    await inside("systemctl", "daemon-reload");
    const pid = await newAgent(() => inside("systemctl", "start", "fleet-agent"));
    assert.match(await inside("cat", `/proc/${pid}/cmdline`), /\/opt\/fleet\/next\//);
    await untouched();
    await change();
    await changedOnce();
    rmSync(folder, { recursive: true });
    await inside("systemctl", "daemon-reload");
    await newAgent(() => inside("systemctl", "restart", "fleet-agent"));
  });

  test("dbus-daemon killed: the agent connects and listens again (fault 57)", async () => {
    const pid = await agentPid();
    await inside("systemctl", "kill", "--signal=KILL", "--kill-who=main", "dbus.service");
    await eventually("the agent listens again", async () => (await matchRules(pid)).includes("JobRemoved"));
    await untouched();
    await change();
    await changedOnce();
    assert.equal(await agentPid(), pid, "it is the same agent");
  });

  test("dbus-daemon killed while files and processes change: each changed unit is started once (fault 57)", async () => {
    // Twice only: a dbus.service that is started five times in ten seconds is not started again.
    const kill = "systemctl kill -s KILL --kill-who=main dbus.service";
    const taken = `grep -q '"seq":${commit + 1},' /var/lib/fleet/agent/state.json`;
    const killed = inside("sh", "-c", `until ${taken}; do :; done; ${kill}; sleep 0.2; ${kill} || true`);
    await Promise.all([change(), killed]);
    await changedOnce();
    assert.ok((await systemd.since(since)).has("dbus.service"), "it was started anew");
  });

  test("systemd executes itself anew again and again during an apply: each changed unit is started once (fault 58)", async () => {
    const loop = "while [ ! -e /tmp/enough ]; do systemctl daemon-reexec; sleep 0.2; done";
    const looping = inside("sh", "-c", loop);
    try {
      await change();
    } finally {
      await inside("touch", "/tmp/enough");
      await looping;
    }
    await changedOnce();
    assert.ok((await systemd.said(since)).filter((line) => /^Reexecuting/.test(line)).length > 1);
  });

  /** Applies a change that cannot be written, and sees that nothing comes of it but words, until `heal` has made room. */
  const withoutRoom = async (words: RegExp, heal: () => Promise<void>): Promise<void> => {
    const files = () => inside("sh", "-c", `cd ${SYSTEMD_FOLDER} && grep -r . . | sort`);
    const before = await files();
    try {
      await commitNext();
      const { code, stdout, stderr } = await apply("4s");
      assert.equal(code, 5, stdout + stderr);
      for (const unit of CHANGING) assert.match(stdout + stderr, new RegExp(`${unit} on m1: ${words.source}`));
      assert.equal(await files(), before, "nothing is half written, and nothing lies about");
      await untouched();
      await inside("systemctl", "stop", STAYING[0]!);
      await eventually("its neighbour is started again", async () => {
        const [state] = await systemd.show("ActiveState", STAYING.slice(0, 1));
        return state === "active";
      });
    } finally {
      await heal();
    }
    await eventually("all is as wanted", async () =>
      (await cluster.status()).units.every((unit) => unit.active === "active" && unit.hash === unit.wantedHash),
    );
    running[CHANGING.length] = (await invocations(STAYING))[0]!;
    await changedOnce([STAYING[0]!]);
  };

  test("/run is full: nothing stops, the unit says which file, and it changes once there is room (fault 56)", async () => {
    const used = (await inside("df", "--output=used", "-k", "/run")).split("\n")[1]!.trim();
    await inside(
      "sh",
      "-c",
      `mount -o remount,size=${Number(used) + 64}k /run; dd if=/dev/zero of=/run/full bs=4k 2> /dev/null || true`,
    );
    await withoutRoom(/disk-full: cannot write \/run\//, async () => {
      await inside("mount", "-o", "remount,size=50%", "/run");
      await inside("rm", "/run/full");
    });
  });

  test("the units' folder is read-only: nothing stops, the unit says which file, and it changes later (fault 56)", async () => {
    const seenByAgent = (script: string) =>
      agentPid().then((pid) => inside("nsenter", "-t", pid, "-m", "sh", "-c", script));
    await seenByAgent(`mount --bind ${SYSTEMD_FOLDER} ${SYSTEMD_FOLDER}; mount -o remount,bind,ro ${SYSTEMD_FOLDER}`);
    await withoutRoom(/read-only: cannot write \/run\/systemd\/system\/change-/, async () => {
      await seenByAgent(`umount ${SYSTEMD_FOLDER}`);
    });
  });

  /** Who listens to what on the machine's bus, of the connection of one process. */
  const matchRules = async (pid: string): Promise<string> => {
    const bus = ["org.freedesktop.DBus", "/org/freedesktop/DBus"];
    const stats = await inside("busctl", "call", ...bus, "org.freedesktop.DBus.Debug.Stats", "GetAllMatchRules");
    const names = (await inside("busctl", "list", "--no-legend")).split("\n").map((line) => line.trim().split(/\s+/));
    const own = names.filter((fields) => fields[1] === pid).map(([name]) => name);
    return stats
      .split(/(?=":\d+\.\d+")/)
      .filter((part) => own.some((name) => part.startsWith(`"${name}"`)))
      .join("");
  };
});
