import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";
import { trySecrets } from "./secrets-on-lab.ts";

const MACHINE = "m1";
const SERVICES = ["g1.service", "g2.service", "g3.service", "g4.service"];
const ONCE = "once.service";
const MOUNT = "srv-gentle.mount";

interface Lines {
  readonly about: string;
  readonly restart: string;
  readonly trigger: string;
  readonly command: string;
}

const FIRST: Lines = { about: "first", restart: "no", trigger: "1", command: "sleep infinity" };

const service = ({ about, restart, trigger, command }: Lines) =>
  `[Unit]\nDescription=${about}\nX-Reload-Triggers=${trigger}\n\n[Service]\nRestart=${restart}\n` +
  `ExecStart=/bin/sh -c 'exec ${command}'\nExecReload=/bin/echo told to reload\n`;
const once = (about: string) =>
  `[Unit]\nDescription=${about}\n\n[Service]\nType=oneshot\nExecStart=/bin/echo ran once\n`;
const mount = (size: string) => `[Mount]\nWhat=tmpfs\nType=tmpfs\nWhere=/srv/gentle\nOptions=size=${size}\n`;

const READER = "reader.service";
const READ = `/var/lib/fleet/files/${READER}`;
const reader =
  "[Service]\nEnvironmentFile=/var/lib/fleet/files/%n/app.env\n" +
  `ExecStart=/bin/sh -c 'echo value is \${VALUE}; exec sleep infinity'\n`;
const manifest = (files: readonly string[]) =>
  `apiVersion: fleet/v1\ncluster: hello\nunits:\n  ${READER}:\n    files:\n` +
  ["{ path: app.env, owner: nobody, mode: 0400 }", ...files].map((file) => `      - ${file}\n`).join("");

/** What the commits of one unit say: those given in `lines` differ from the first. */
const files = (lines: Readonly<Record<string, Partial<Lines>>>): Record<string, string> =>
  Object.fromEntries(SERVICES.map((unit) => [`units/${unit}`, service({ ...FIRST, ...lines[unit] })]));
const all = (lines: Partial<Lines>) => Object.fromEntries(SERVICES.map((unit) => [unit, lines]));

describe("changes on a real systemd that need no restart", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", 1);
    // Those of the example that one machine cannot hold go.
    const gone = { "units/red.service": null, "units/hello@.service": null };
    const reading = {
      "fleet.yaml": manifest(["{ path: conf.d/extra }"]),
      [`units/reader/${READER}`]: reader,
      "units/reader/files/app.env": "VALUE=one\n",
      "units/reader/files/conf.d/extra": "x\n",
    };
    const others = { ...gone, ...reading, [`units/${ONCE}`]: once("first"), [`units/${MOUNT}`]: mount("1m") };
    await release({ ...files({}), ...others });
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  /** Commits and applies; returns once the command line says that the cluster has converged. */
  const release = async (changed: Readonly<Record<string, string | null>>): Promise<void> => {
    await cluster.commit("a change", changed);
    const { code, stdout, stderr } = await cluster.fleet(
      "apply",
      "--auto-approve",
      "--allow-deletes",
      "--timeout",
      "30s",
    );
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout + stderr, /converged/);
  };

  const show = async (property: string, units: readonly string[]): Promise<string[]> => {
    const shown = await cluster.inside(
      MACHINE,
      "systemctl",
      "show",
      `--property=${property}`,
      "--value",
      "--",
      ...units,
    );
    return shown.split("\n").filter(Boolean);
  };

  /** What changes where a process was touched: starts, and restarts by systemd itself. */
  const starts = async () => ({
    invocations: await show("InvocationID", [...SERVICES, MOUNT, "everywhere.service"]),
    restarts: await show("NRestarts", SERVICES),
    oneshots: (await said(ONCE)).filter((line) => line === "ran once").length,
  });

  const said = async (unit: string): Promise<string[]> =>
    (await cluster.inside(MACHINE, "journalctl", "-q", "-b", "-o", "cat", "-u", unit)).split("\n");

  const reloads = async (): Promise<number> => {
    const journal = await cluster.inside(MACHINE, "journalctl", "-q", "-b", "-o", "cat", "_PID=1");
    return journal.split("\n").filter((line) => /^Reloading\.+$/.test(line)).length;
  };

  test("new descriptions converge without a start, a stop or a word to systemd", async () => {
    const [before, read] = [await starts(), await reloads()];
    assert.equal(before.invocations.length, SERVICES.length + 2, "each of them runs");
    await release({ ...files(all({ about: "second" })), [`units/${ONCE}`]: once("second") });
    assert.deepEqual([await starts(), await reloads()], [before, read]);
    assert.deepEqual(new Set(await show("Description", SERVICES)), new Set(["first"]), "systemd was not even told");
    const rows = (await cluster.status()).units.filter((row) => SERVICES.includes(row.unit));
    for (const row of rows) assert.equal(row.hash, row.wantedHash, `${row.unit} is no drift`);
  });

  test("a new Restart= of three units costs one daemon-reload, and no process notices", async () => {
    const [before, read] = [await starts(), await reloads()];
    const [first, second, third] = SERVICES as [string, string, string];
    const changed = { about: "second", restart: "always" };
    await release(files({ ...all({ about: "second" }), [first]: changed, [second]: changed, [third]: changed }));
    assert.deepEqual([await starts(), await reloads()], [before, read + 1]);
    assert.deepEqual(await show("Restart", SERVICES), ["always", "always", "always", "no"]);
  });

  test("a unit's own reload applies what it names as its trigger, and a mount is mounted again in place", async () => {
    const [before, read] = [await starts(), await reloads()];
    await release({ ...files({ "g1.service": { trigger: "2" } }), [`units/${MOUNT}`]: mount("2m") });
    assert.deepEqual([await starts(), await reloads()], [before, read + 1]);
    const told = await Promise.all(
      SERVICES.map(async (unit) => (await said(unit)).filter((line) => line === "told to reload").length),
    );
    assert.deepEqual(told, [1, 0, 0, 0]);
    assert.match(await cluster.inside(MACHINE, "findmnt", "-no", "OPTIONS", "/srv/gentle"), /size=2048k/);
  });

  test("a new command of one unit restarts that one", async () => {
    const ids = async () => show("InvocationID", SERVICES);
    const before = await ids();
    await release(files({ "g1.service": { trigger: "2" }, "g3.service": { command: "sleep 100000" } }));
    const now = await eventually("four of them run", async () => {
      const seen = await ids();
      return seen.length === SERVICES.length && seen;
    });
    assert.deepEqual(
      SERVICES.filter((_, at) => before[at] !== now[at]),
      ["g3.service"],
    );
  });

  test("a changed file restarts once the unit that reads it, is whose it is declared to be, and goes with its folder", async () => {
    const stat = (format: string) => cluster.inside(MACHINE, "stat", "-c", format, `${READ}/app.env`);
    const values = async () => (await said(READER)).filter((line) => line.startsWith("value is"));
    assert.equal((await stat("%a %U:%G")).trim(), "400 nobody:root");
    const read = await reloads();
    await release({ "units/reader/files/app.env": "VALUE=two\n" });
    assert.deepEqual(await values(), ["value is one", "value is two"]);
    const before = await stat("%i %Z");
    // Another process of the agent finds what only its owner may read as it was written.
    await cluster.inside(MACHINE, "systemctl", "restart", "fleet-agent");
    await eventually("it is there again", async () => (await cluster.status()).members.every(({ present }) => present));
    await release({ "fleet.yaml": manifest([]), "units/reader/files/conf.d/extra": null });
    assert.equal(await cluster.inside(MACHINE, "ls", READ), "app.env\n");
    assert.deepEqual([await stat("%i %Z"), (await values()).length], [before, 3], "declared, it was read: one restart");
    assert.equal(await reloads(), read, "systemd is told of none of that");
  });

  test("a secret is in its machine's memory alone, restarts its reader for another value, and not for other recipients", () =>
    trySecrets(cluster, MACHINE, manifest([]), release));
});
