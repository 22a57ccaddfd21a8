import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab, type ShownUnit } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

/** Row 66 asks for 2,000 units, which take minutes on a small machine: CI makes do with less. */
const MANY = process.env.FLEET_SOAK === "1" ? 2_000 : 150;
const APPLY_TIMEOUT = `${Math.max(40, Math.ceil(MANY / 8))}s`;

const GOOD = ["good.service", "better.service", "best.service"];
const service = (...lines: string[]) => `[Service]\n${lines.join("\n")}\n`;
const sleeper = (...lines: string[]) => service("ExecStart=/bin/sleep infinity", ...lines);
const MANIFEST = "apiVersion: fleet/v1\ncluster: hello\n";
/** systemd refuses one of the units below, which validate would too if it were not told otherwise. */
const LENIENT = `${MANIFEST}lint: { unit-refused: warn, reserved-names: warn, endless-stop-timeout: off }\n`;

describe("what is wrong with one unit is that unit's", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    const examples = ["red", "blue", "everywhere", "hello@", "tick"].map((name) => `units/${name}.service`);
    await cluster.commit("good ones only", {
      "fleet.yaml": MANIFEST,
      ...Object.fromEntries([...examples, "units/tick.timer"].map((path) => [path, null])),
      ...Object.fromEntries(GOOD.map((name) => [`units/${name}`, sleeper()])),
    });
    const { code, out } = await apply();
    assert.equal(code, 0, out);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const apply = async () => {
    const options = ["--auto-approve", "--allow-deletes", "--timeout", APPLY_TIMEOUT];
    const { code, stdout, stderr } = await cluster.fleet("apply", ...options);
    return { code, out: stdout + stderr };
  };

  const show = async (property: string, ...units: string[]): Promise<string[]> => {
    const shown = await cluster.inside("m1", "systemctl", "show", "--value", `--property=${property}`, "--", ...units);
    return shown.trimEnd().split(/\n+/);
  };

  const row = async (unit: string): Promise<ShownUnit> =>
    (await cluster.status()).units.find((one) => one.unit === unit) ?? assert.fail(`status does not know ${unit}`);

  const eventuallyRow = (unit: string, what: string, is: (row: ShownUnit) => boolean): Promise<ShownUnit> =>
    eventually(`${unit} ${what}`, async () => {
      const seen = await row(unit);
      return is(seen) && seen;
    });

  const daemonReloads = async (): Promise<number> => {
    const journal = await cluster.inside("m1", "journalctl", "-q", "-b", "-o", "cat", "_PID=1");
    return journal.split("\n").filter((line) => /^Reloading\.+$/.test(line)).length;
  };

  const passesThatReload = async (): Promise<number> => {
    const journal = await cluster.inside("m1", "journalctl", "-q", "-b", "-o", "cat", "-u", "fleet-agent");
    return journal.split("\n").filter((line) => /^reload /.test(line)).length;
  };

  test("rows 60 and 62, and what systemd refuses: each is told of in systemd's words, and its neighbours run on", async () => {
    const before = await show("InvocationID", ...GOOD);
    await cluster.inside(
      "m1",
      "sh",
      "-c",
      `printf '[Service]\\nExecStart=/bin/true\\n' > /usr/lib/systemd/system/spare.service`,
    );
    await cluster.inside(
      "m1",
      "sh",
      "-c",
      `printf '[Service]\\nExecStart=/bin/true\\n' > /etc/systemd/system/local.service`,
    );
    await cluster.commit("bad ones", {
      "fleet.yaml": LENIENT,
      "units/missing.service": service("ExecStart=/opt/not/there --serve"),
      "units/nobody.service": sleeper("User=nobody-of-that-name"),
      "units/refused.service":
        "[Unit]\nDescription=Neither starts nor stops anything\n[Service]\nExecReload=/bin/true\n",
      "units/spare.service": sleeper(),
      "units/local.service": sleeper(),
      "units/dbus.service": sleeper(),
      "units/looping.service": `[Unit]\nStartLimitIntervalSec=0\n${service("ExecStart=/bin/sh -c 'echo no luck; exit 7'", "Restart=always", "RestartSec=700ms")}`,
      "units/fine.service": sleeper(),
    });
    const { code, out } = await apply();
    assert.equal(code, 1, out);
    const failed = async (unit: string) => eventuallyRow(unit, "has a problem", ({ problem }) => problem !== null);
    const missing = await failed("missing.service");
    assert.equal(missing.problem?.code, "failed");
    assert.match(
      missing.problem?.journal.join("\n") ?? "",
      /Unable to locate executable '\/opt\/not\/there'.*|status=203\/EXEC/,
    );
    assert.match((await failed("nobody.service")).problem?.journal.join("\n") ?? "", /status=217\/USER/);
    const refused = await failed("refused.service");
    assert.equal(refused.problem?.code, "unit-bad-setting");
    assert.match(refused.problem?.journal.join("\n") ?? "", /refused\.service: .*(ExecStart|ExecStop).*Refusing/);
    for (const [unit, path] of [
      ["spare.service", "/usr/lib/systemd/system/spare.service"],
      ["local.service", "/etc/systemd/system/local.service"],
      ["dbus.service", "/lib/systemd/system/dbus.service"],
    ] as const) {
      const { problem } = await failed(unit);
      assert.equal(problem?.code, "conflict");
      assert.deepEqual(problem.journal, [], "somebody else's words do not travel");
      // Where /lib is a link to /usr/lib, systemd names either.
      assert.ok(
        problem.detail.replace("/usr/lib/", "/lib/").startsWith(path.replace("/usr/lib/", "/lib/")),
        problem.detail,
      );
      await cluster.inside("m1", "test", "!", "-e", `/run/systemd/system/${unit}`);
    }
    const looping = await eventuallyRow(
      "looping.service",
      "is a loop",
      ({ problem }) => problem?.code === "restarting",
    );
    assert.ok(
      looping.problem?.journal.some((line) => line === "no luck"),
      looping.problem?.journal.join("\n"),
    );
    assert.ok(looping.problem!.journal.length <= 10);
    assert.equal((await row("fine.service")).active, "active");
    assert.deepEqual(await show("InvocationID", ...GOOD), before);
    assert.equal((await show("ActiveState", "dbus.service"))[0], "active");
  });

  test("row 60: the agent starts nothing on top of what systemd restarts, and says it once", async () => {
    const starts = async () => Number((await show("NRestarts", "looping.service"))[0]);
    const { invocation, problem } = await row("looping.service");
    const [before, since] = [await starts(), await cluster.inside("m1", "date", "+%s.%N")];
    await eventually("systemd has restarted it five times more", async () => (await starts()) >= before + 5);
    const journal = await cluster.inside(
      "m1",
      "journalctl",
      "-q",
      "-o",
      "cat",
      "-u",
      "fleet-agent",
      `--since=@${since.trim()}`,
    );
    assert.doesNotMatch(journal, /looping/);
    const now = await row("looping.service");
    assert.deepEqual([now.invocation, now.problem], [invocation, problem]);
  });

  test("row 62: plan refuses the names of systemd's own units, by file, where nobody said otherwise", async () => {
    await cluster.commit("strict again", { "fleet.yaml": MANIFEST, "units/sshd.service": sleeper() });
    const { code, stdout, stderr } = await cluster.fleet("plan");
    assert.equal(code, 1, stdout);
    for (const name of ["dbus", "sshd"])
      assert.match(stderr + stdout, new RegExp(`units/${name}\\.service.*\\[reserved-names\\]`));
  });

  test("a mended commit mends them, and leaves nothing behind", async () => {
    const bad = ["missing", "nobody", "refused", "spare", "local", "dbus", "looping", "sshd"];
    const before = await show("InvocationID", ...GOOD, "fine.service");
    await cluster.commit("without them", Object.fromEntries(bad.map((name) => [`units/${name}.service`, null])));
    const { code, out } = await apply();
    assert.equal(code, 0, out);
    const left = await cluster.inside("m1", "ls", "/run/systemd/system");
    assert.doesNotMatch(left, new RegExp(bad.join("|")));
    await cluster.inside(
      "m1",
      "test",
      "-e",
      "/usr/lib/systemd/system/spare.service",
      "-a",
      "-e",
      "/etc/systemd/system/local.service",
    );
    assert.deepEqual(await show("InvocationID", ...GOOD, "fine.service"), before);
  });

  test("wound 24: an update that changes ExecStop= stops the old version with its own, old command", async () => {
    const version = (word: string) =>
      service(`ExecStart=/bin/sleep ${word.length}000`, `ExecStop=/bin/sh -c 'echo ${word} >> /run/stopped-by'`);
    await cluster.commit("with a stop of its own", { "units/stops.service": version("old") });
    assert.equal((await apply()).code, 0);
    await cluster.commit("with another one", { "units/stops.service": version("newer") });
    assert.equal((await apply()).code, 0);
    assert.equal(await cluster.inside("m1", "cat", "/run/stopped-by"), "old\n");
    await cluster.commit("gone", { "units/stops.service": null });
    assert.equal((await apply()).code, 0);
    assert.equal(await cluster.inside("m1", "cat", "/run/stopped-by"), "old\nnewer\n");
  });

  test("row 59: a stop that never ends is told of for as long as it lasts; others change, start and go meanwhile", async () => {
    const endless = (word: string) =>
      service(
        `ExecStart=/bin/sleep 9${word.length}`,
        "ExecStop=/bin/sleep infinity",
        "TimeoutStopSec=infinity",
        "Restart=no",
      );
    const two = { "units/stuck.service": endless("one"), "units/leaves.service": endless("one") };
    await cluster.commit("two that never stop", { "fleet.yaml": LENIENT, ...two });
    assert.equal((await apply()).code, 0);
    await cluster.commit("one changes, one goes", {
      "units/stuck.service": endless("other"),
      "units/leaves.service": null,
      "units/good.service": sleeper("Environment=NEW=1"),
      "units/fine.service": null,
      "units/late.service": sleeper(),
    });
    const before = await show("InvocationID", ...GOOD);
    const { code, stdout, stderr } = await cluster.fleet(
      "apply",
      "--auto-approve",
      "--allow-deletes",
      "--timeout",
      "9s",
    );
    assert.equal(code, 5, stdout + stderr);
    assert.match(stdout + stderr, /leaves\.service on m1: leaving/);
    // What changes waits for the agent to accept the commit, so it may come in a pass of its own: two, of 5 s each, are more than 9 s.
    const stuck = await eventuallyRow("stuck.service", "is told to stop", ({ problem }) => problem !== null);
    assert.deepEqual([stuck.problem?.code, stuck.active], ["stopping", "deactivating"]);
    assert.deepEqual(await show("ActiveState", "stuck.service", "leaves.service"), ["deactivating", "deactivating"]);
    assert.equal((await row("late.service")).active, "active");
    assert.equal((await show("LoadState", "fine.service"))[0], "not-found");
    const now = await show("InvocationID", ...GOOD);
    assert.deepEqual([now[0] === before[0], ...now.slice(1)], [false, ...before.slice(1)]);
    await cluster.inside("m1", "systemctl", "kill", "-s", "KILL", "stuck.service", "leaves.service");
    await eventuallyRow(
      "stuck.service",
      "runs its new text",
      ({ active, hash, wantedHash }) => active === "active" && hash === wantedHash,
    );
    const again = await apply();
    assert.equal(again.code, 0, again.out);
    await cluster.commit("gone", { "units/stuck.service": sleeper() });
    await cluster.inside("m1", "systemctl", "kill", "-s", "KILL", "stuck.service");
    assert.equal((await apply()).code, 0);
  });

  test(`row 66: ${MANY} units come without a daemon-reload, and change with one a pass`, async () => {
    const names = Array.from({ length: MANY }, (_, index) => `many-${index}.service`);
    const files = (line: string) =>
      Object.fromEntries(
        names.map((name) => [
          `units/${name}`,
          service("Type=oneshot", "RemainAfterExit=yes", "ExecStart=/bin/true", line),
        ]),
      );
    const [before, passes] = [await daemonReloads(), await passesThatReload()];
    await cluster.commit("many", files("TimeoutStopSec=10"));
    const first = await apply();
    assert.equal(first.code, 0, first.out);
    assert.equal((await daemonReloads()) - before, 0);
    const started = await show("InvocationID", ...names.slice(0, 20));
    await cluster.commit("all of them, gently", files("TimeoutStopSec=20"));
    const second = await apply();
    assert.equal(second.code, 0, second.out);
    const reloads = (await daemonReloads()) - before;
    assert.equal(reloads, (await passesThatReload()) - passes, "one each pass");
    // The engine writes some 60 units a transaction, and a pass takes what is there.
    assert.ok(reloads >= 1 && reloads <= Math.ceil(MANY / 60), `${reloads} daemon-reloads`);
    assert.deepEqual([...new Set(await show("TimeoutStopUSec", ...names))], ["20s"]);
    assert.deepEqual(await show("InvocationID", ...names.slice(0, 20)), started);
  });
});
