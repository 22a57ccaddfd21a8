import assert from "node:assert/strict";
import { after, afterEach, before, describe, test } from "node:test";
import { ClusterOnLab } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2", "m3"];
const WEB = [1, 2, 3, 4, 5, 6, 7, 8].map((number) => `web@${number}.service`);
const DATA = "data.service";
const EVERYWHERE = "everywhere.service";
/** Ends 300 ms after it is told to, so that who does not wait for it is seen. */
const SLOW = "/bin/sh -c 'trap \"sleep 0.3; exit\" TERM; sleep infinity & wait'";

const service = (command: string, lines: string) => `[Service]\nExecStart=${command}\n${lines}\n`;
const manifest = (machines: string) =>
  `apiVersion: fleet/v1\ncluster: hello\nadmit: any\nunits: { web@.service: { instances: ${WEB.length}, rollout: { minHealthyTime: 500ms } } }\n${machines}`;

/** By the kernel's clock, which all machines of a lab share: microseconds. */
interface Run {
  readonly machine: string;
  readonly invocation: string;
  readonly startedUs: number;
}

describe("a machine that is drained, and one that is removed", { skip: labSkipReason(), concurrency: false }, () => {
  let cluster: ClusterOnLab;

  before(async () => {
    cluster = await ClusterOnLab.up("hello", MACHINES.length);
    const gone = ["red.service", "blue.service", "hello@.service", "tick.service", "tick.timer"];
    await release(manifest(""), {
      ...Object.fromEntries(gone.map((name) => [`units/${name}`, null])),
      "units/web@.service": service(SLOW, ""),
      [`units/${DATA}`]: service("/bin/sleep infinity", "StateDirectory=data\n[X-Fleet]\nMachineMetadata=machine=m2"),
      [`units/${EVERYWHERE}`]: service("/bin/sleep infinity", "[X-Fleet]\nGlobal=true"),
    });
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => cluster?.down());

  const release = async (text: string, files: Readonly<Record<string, string | null>> = {}): Promise<void> => {
    await cluster.commit("a change", { "fleet.yaml": text, ...files });
    const { code, stdout, stderr } = await cluster.fleet(
      "apply",
      "--auto-approve",
      "--allow-deletes",
      "--timeout",
      "30s",
    );
    assert.equal(code, 0, stdout + stderr);
  };

  const show = async (machine: string, unit: string, ...names: readonly string[]): Promise<string[]> => {
    const properties = names.map((name) => `--property=${name}`);
    const shown = await cluster.inside(machine, "systemctl", "show", ...properties, "--", unit);
    return names.map((name) => new RegExp(`^${name}=(.*)$`, "m").exec(shown)?.[1] ?? "");
  };

  /** Where each runs, by systemd on all machines. */
  const runs = async (units: readonly string[]): Promise<ReadonlyMap<string, Run>> => {
    const { units: rows } = await cluster.status();
    const found = new Map<string, Run>();
    for (const { unit, machineName: machine } of rows) {
      if (machine === null || !units.includes(unit)) continue;
      const names = ["ActiveState", "InvocationID", "ActiveEnterTimestampMonotonic"];
      const [active, invocation = "", startedUs] = await show(machine, unit, ...names);
      assert.equal(active, "active", `${unit} on ${machine}`);
      found.set(unit === EVERYWHERE ? `${unit} ${machine}` : unit, {
        machine,
        invocation,
        startedUs: Number(startedUs),
      });
    }
    return found;
  };

  const ALL = [...WEB, DATA, EVERYWHERE];

  test("its replicas go one after another, stopped first; data and globals stay, and nothing else restarts", async () => {
    const before = await runs(ALL);
    const moving = WEB.filter((unit) => before.get(unit)?.machine === "m2");
    assert.ok(moving.length >= 2, "several are on m2");
    await release(manifest("machines: { m2: { drain: true } }\n"));
    const now = await runs(ALL);
    for (const [unit, run] of before) {
      if (!moving.includes(unit)) assert.deepEqual(now.get(unit), run, `${unit} was left alone`);
    }
    const turns: { readonly stoppedUs: number; readonly startedUs: number }[] = [];
    for (const unit of moving) {
      const [stopped] = await show("m2", unit, "InactiveEnterTimestampMonotonic");
      const { machine, startedUs } = now.get(unit)!;
      assert.notEqual(machine, "m2");
      // What systemd has unloaded it remembers nothing of; its journal does.
      const stoppedUs = Number(stopped) || (await lastWordUs("m2", unit));
      assert.ok(
        stoppedUs > 0 && stoppedUs < startedUs,
        `${unit} ended on m2 at ${stoppedUs} us, began on ${machine} at ${startedUs} us`,
      );
      turns.push({ stoppedUs, startedUs });
    }
    turns.sort((a, b) => a.startedUs - b.startedUs);
    turns.forEach(({ stoppedUs }, index) => {
      const last = turns[index - 1];
      assert.ok(last === undefined || stoppedUs > last.startedUs, "one of them is down at a time");
    });
    const { stdout } = await cluster.ask("status");
    assert.match(stdout, /m2 is drained: there stays .*data\.service \(its data is here/);
  });

  /** When systemd last wrote of a unit in its machine's journal. */
  const lastWordUs = async (machine: string, unit: string): Promise<number> => {
    const words = ["journalctl", "-q", "-b", "-n", "1", "-o", "json", "_PID=1", `UNIT=${unit}`];
    const said = (await cluster.inside(machine, ...words)).trim();
    return said === "" ? 0 : Number((JSON.parse(said) as { __MONOTONIC_TIMESTAMP: string }).__MONOTONIC_TIMESTAMP);
  };

  test("undrained it gets nothing back", async () => {
    const before = await runs(ALL);
    await release(manifest(""));
    assert.deepEqual(await runs(ALL), before);
  });

  test("a machine that is there is not removed; one that is gone is, and no record is left of it", async () => {
    const refused = await cluster.fleet("machine", "remove", "m3", "--auto-approve", "--allow-deletes");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /m3 is present/);
    const before = await runs(WEB);
    const kept = WEB.filter((unit) => before.get(unit)?.machine !== "m3");
    await cluster.lab("kill", "m3");
    await eventually("m3 is absent", async () => !(await memberOf("m3"))?.present);
    const { code, stdout, stderr } = await cluster.fleet(
      "machine",
      "remove",
      "m3",
      "--auto-approve",
      "--allow-deletes",
    );
    assert.equal(code, 0, stdout + stderr);
    assert.equal(await memberOf("m3"), undefined);
    await eventually("its units run elsewhere", async () => {
      const { units } = await cluster.status();
      return WEB.every((unit) =>
        units.some((row) => row.unit === unit && row.machineName !== "m3" && row.active === "active"),
      );
    });
    const now = await runs(WEB);
    for (const unit of kept) assert.deepEqual(now.get(unit), before.get(unit));
  });

  const memberOf = async (name: string) => (await cluster.status()).members.find((member) => member.name === name);
});
