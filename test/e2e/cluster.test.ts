import assert from "node:assert/strict";
import { join } from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { mustRun } from "../../src/lab/run-program.ts";
import { EtcdProcess } from "../contract/etcd-process.ts";
import { ClusterOnLab, type ShownUnit } from "./cluster-on-lab.ts";
import { eventually, labSkipReason } from "./lab-name.ts";

const MACHINES = ["m1", "m2", "m3", "m4"];
/** Its timer starts it every five seconds, so it has another invocation at each look. */
const TICKS = "ticker.service";

const skip =
  labSkipReason() ||
  (await Promise.all([thirdPartyBinary("etcd-3.4"), thirdPartyBinary("etcdctl")]).then(
    () => false as const,
    (error: Error) => error.message,
  ));

/** What systemd says of one unit on one machine. */
interface Seen {
  readonly machine: string;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly invocation: string;
  readonly fragment: string;
}

describe("forty units on four machines with a real etcd", { skip, concurrency: false }, () => {
  let etcd: EtcdProcess;
  let cluster: ClusterOnLab;

  before(async () => {
    etcd = await EtcdProcess.start("3.4");
    cluster = await ClusterOnLab.up("options", MACHINES.length, etcd.address);
  });

  afterEach(async (context) => {
    if (!(context as { passed?: boolean }).passed) console.error(await cluster.report());
  });

  after(async () => {
    try {
      await cluster?.down();
    } finally {
      await etcd?.remove();
    }
  });

  const etcdctl = async (...words: string[]): Promise<string> => {
    const argv = ["env", "ETCDCTL_API=3", await thirdPartyBinary("etcdctl"), "--endpoints", `127.0.0.1:${etcd.port}`];
    return mustRun([...argv, ...words]);
  };

  /** Of these units, those each machine's systemd has a file of, by `unit/machine`. */
  /** `before`: words in front of `systemctl show`. */
  const systemd = async (
    units: readonly string[],
    machines?: readonly string[],
    before: readonly string[] = [],
  ): Promise<Map<string, Seen>> => {
    const seen = new Map<string, Seen>();
    const properties = "--property=Id,LoadState,ActiveState,SubState,InvocationID,FragmentPath";
    for (const machine of machines ?? (await cluster.machines())) {
      const shown = await cluster.inside(machine, ...before, "systemctl", "show", properties, "--", ...units);
      for (const block of shown.trim().split("\n\n")) {
        const value = Object.fromEntries(block.split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
        if (value.LoadState === "not-found") continue;
        seen.set(`${value.Id}/${machine}`, {
          machine,
          load: value.LoadState,
          active: value.ActiveState,
          sub: value.SubState,
          invocation: value.InvocationID,
          fragment: value.FragmentPath,
        });
      }
    }
    return seen;
  };

  const unitsOf = (rows: readonly ShownUnit[]): string[] => [...new Set(rows.map((row) => row.unit))].sort();

  /** `unit/machine` → invocation of everything that runs on machines that are on. */
  const invocations = async (): Promise<Map<string, string>> => {
    const units = unitsOf((await cluster.status()).units).filter((unit) => unit !== TICKS);
    const seen = await systemd(units);
    return new Map(
      [...seen].filter(([, unit]) => unit.active === "active").map(([key, unit]) => [key, unit.invocation]),
    );
  };

  const changed = (before: ReadonlyMap<string, string>, now: ReadonlyMap<string, string>): string[] =>
    [...new Set([...before.keys(), ...now.keys()])].filter((key) => before.get(key) !== now.get(key)).sort();

  const lineOf = (key: string, unit: Pick<Seen, "load" | "active" | "sub" | "invocation">): string =>
    `${key} ${unit.load} ${key.startsWith(TICKS) ? "" : `${unit.active} ${unit.sub} ${unit.invocation}`}`;

  /** Status and systemd say the same of every unit, on every machine that is on; what neither knows is no unit. */
  const agree = async (gone: readonly string[] = []): Promise<readonly ShownUnit[]> => {
    let difference = "";
    try {
      return await eventually("fleet status and systemctl agree", async () => {
        const { units } = await cluster.status();
        const on = new Set(await cluster.machines());
        const shown = units.filter((row) => row.machineName !== null && on.has(row.machineName));
        const said = shown.map((row) => lineOf(`${row.unit}/${row.machineName}`, row));
        const real = [...(await systemd([...unitsOf(units), ...gone]))].map(([key, unit]) => lineOf(key, unit));
        difference = [...said.filter((line) => !real.includes(line)), ...real.filter((line) => !said.includes(line))]
          .sort()
          .join("\n");
        return difference === "" && units;
      });
    } catch (error) {
      throw new Error(`${(error as Error).message}:\n${difference}`);
    }
  };

  const reloads = async (): Promise<Record<string, number>> => {
    const counts: Record<string, number> = {};
    for (const machine of await cluster.machines()) {
      const journal = await cluster.inside(machine, "journalctl", "-q", "-b", "-o", "cat", "_PID=1");
      counts[machine] = journal.split("\n").filter((line) => /^Reloading\.+$/.test(line)).length;
    }
    return counts;
  };

  const apply = async (code = 0): Promise<string> => {
    const result = await cluster.fleet("apply", "--auto-approve", "--allow-deletes", "--timeout", "60s");
    assert.equal(result.code, code, result.stdout + result.stderr);
    return result.stdout + result.stderr;
  };

  const machineOf = (rows: readonly ShownUnit[], unit: string): string =>
    rows.find((row) => row.unit === unit)?.machineName ?? assert.fail(`${unit} is nowhere`);

  test("after apply, fleet status --json and systemctl agree on every unit of every machine", async () => {
    assert.match(await apply(), /converged/);
    const rows = await agree();
    assert.equal(unitsOf(rows).length, 40);
    // 38 single units, one everywhere, one in zone b.
    assert.equal(rows.length, 38 + 4 + 2);
    const idle = rows.filter((row) => row.active !== "active").map((row) => row.unit);
    assert.deepEqual(
      idle.filter((unit) => unit !== TICKS),
      ["echo.service"],
    );
    for (const row of rows) assert.equal(row.hash, row.wantedHash, row.unit);
  });

  test("every [X-Fleet] option is obeyed", async () => {
    const { units } = await cluster.status();
    const on = (unit: string) => machineOf(units, unit);
    const machinesOf = (unit: string) => units.filter((row) => row.unit === unit).map((row) => row.machineName);
    assert.equal(on("pinned.service"), "m1");
    assert.equal(new Set([1, 2, 3].map((instance) => on(`web@${instance}.service`))).size, 3);
    for (const instance of [1, 2, 3]) {
      assert.equal(on(`sidekick@${instance}.service`), on(`web@${instance}.service`));
    }
    for (const instance of [1, 2, 3, 4]) assert.ok(["m1", "m3"].includes(on(`near@${instance}.service`)));
    const inZoneB = (unit: string) => ["m2", "m4"].includes(on(unit));
    assert.notEqual(inZoneB("anywhere@1.service"), inZoneB("anywhere@2.service"));
    const workers = Map.groupBy(
      Array.from({ length: 12 }, (_, index) => on(`worker@${index + 1}.service`)),
      (name) => name,
    );
    for (const [name, there] of workers) assert.ok(there.length <= 6, `${there.length} workers on ${name}`);
    assert.deepEqual(machinesOf("everywhere.service"), MACHINES);
    assert.deepEqual(machinesOf("zone-b.service"), ["m2", "m4"]);
    for (const batch of ["batch@1.service", "batch@2.service"]) assert.notEqual(on(batch), on("urgent.service"));
    assert.equal(on("app.service"), on("app-db.service"));
    assert.equal(on("ticker.timer"), on(TICKS));
    assert.equal(on("echo.socket"), on("echo.service"));
  });

  test("engines answer the HTTP API, leading or not, to root and to the group fleet alone", async () => {
    const ask = (machine: string, path: string, ...as: readonly string[]) => {
      const curl = ["curl", "-sS", "-f", "-m", "10", "--unix-socket", "/run/fleet-engine/api.sock"];
      return cluster.inside(machine, ...as, ...curl, `http://fleet${path}`);
    };
    const user = (groups: string) => ["setpriv", "--reuid=65534", "--regid=65534", groups];
    const fleet = (await cluster.inside("m1", "getent", "group", "fleet")).split(":")[2];
    for (const machine of MACHINES.slice(0, 2)) {
      const { units } = JSON.parse(await ask(machine, "/fleet/v1/units", ...user(`--groups=${fleet}`)));
      assert.equal(units.length, 40);
      assert.equal(JSON.parse(await ask(machine, "/fleet/v1/machines")).machines.length, MACHINES.length);
      const metrics = await ask(machine, "/metrics");
      assert.match(metrics, /^fleet_units\{state="launched",active="active"\} \d\d$/m);
      assert.match(metrics, /^fleet_machines\{presence="present"\} 4$/m);
      assert.match(metrics, /^fleet_registry_connected 1$/m);
    }
    await assert.rejects(
      ask("m1", "/fleet/v1/units", ...user("--clear-groups")),
      /ermission denied|ould not connect|connect to/,
    );
  });

  test("each machine says what it has", async () => {
    const { stdout } = await cluster.ask("list-machines", "--fields", "name,cpu,memory", "--no-legend");
    const rows = stdout.trim().split("\n").sort();
    assert.deepEqual(
      rows.map((row) => /^(\w+)\s+[1-9]\d*\s+[\d.]+[GMT]$/.exec(row)?.[1]),
      [...MACHINES],
    );
  });

  test("forty new units needed no daemon-reload on any machine", async () => {
    assert.deepEqual(await reloads(), { m1: 0, m2: 0, m3: 0, m4: 0 });
  });

  test("fleet journal reads a unit's lines from its machine, and fails for a unit there is not", async () => {
    const machine = machineOf((await cluster.status()).units, "worker@1.service");
    const { code, stdout } = await cluster.fleet("journal", "worker@1", "--lines", "50");
    assert.equal(code, 0);
    assert.match(stdout, new RegExp(`worker 1 on ${machine}$`, "m"));
    assert.equal((await cluster.fleet("journal", "worker@99")).code, 1);
    const elsewhere = await cluster.fleet(
      "journal",
      "worker@1",
      "--machine",
      MACHINES.find((name) => name !== machine)!,
    );
    assert.equal(elsewhere.code, 1);
    assert.match(elsewhere.stderr, new RegExp(`name one of ${machine}\\b`));
  });

  test("editing one unit restarts that unit only, with at most one daemon-reload, on its machine", async () => {
    const before = await invocations();
    const text = `[Unit]\nDescription=Edited\n\n[Service]\nStateDirectory=moves\nExecStart=/bin/sh -c 'echo edited; exec sleep infinity'\n\n[X-Fleet]\nMove=auto\n`;
    await cluster.commit("edit moves", { "units/moves.service": text });
    assert.match(await apply(), /converged/);
    const machine = machineOf(await agree(), "moves.service");
    assert.deepEqual(changed(before, await invocations()), [`moves.service/${machine}`]);
    const counts = await reloads();
    assert.ok(counts[machine]! <= 1, JSON.stringify(counts));
    for (const other of MACHINES.filter((name) => name !== machine)) assert.equal(counts[other], 0, other);
    const { stdout } = await cluster.fleet("journal", "moves.service");
    assert.match(stdout, /edited/);
  });

  test("deleting a unit stops it, removes its file and touches nothing else", async () => {
    const before = await invocations();
    const machine = machineOf((await cluster.status()).units, "moves.service");
    const [{ fragment }] = [...(await systemd(["moves.service"])).values()] as [Seen];
    await cluster.inside(machine, "test", "-e", fragment);
    await cluster.commit("delete moves", { "units/moves.service": null });
    await apply();
    const rows = await agree(["moves.service"]);
    assert.equal(unitsOf(rows).includes("moves.service"), false);
    await cluster.inside(machine, "test", "!", "-e", fragment);
    assert.deepEqual(changed(before, await invocations()), [`moves.service/${machine}`]);
  });

  test("a unit that fails is told with its last journal lines and exit code 1, and delays no other", async () => {
    const service = (type: string, script: string) => `[Service]\nType=${type}\nExecStart=/bin/sh -c '${script}'\n`;
    await cluster.commit("add a broken unit and a good one", {
      // A simple service is up until it has failed, and an apply that looks at that moment has converged.
      "units/broken.service": service("oneshot", 'echo "cannot find my shoes" >&2; exit 3'),
      "units/good.service": service("simple", "exec sleep infinity"),
    });
    const before = await invocations();
    const said = await apply(1);
    assert.match(said, /broken\.service on m\d: start-failed/);
    assert.match(said, /\| .*cannot find my shoes/);
    const { units } = await cluster.status();
    assert.equal(units.find((row) => row.unit === "good.service")?.active, "active");
    await cluster.commit("remove the broken unit", { "units/broken.service": null, "units/good.service": null });
    await apply();
    assert.deepEqual(changed(before, await invocations()), []);
  });

  test("a saved plan is refused with exit code 3 once another apply came between, and changes nothing", async () => {
    const file = join(cluster.repository, ".git", "saved-plan.json");
    const text = (word: string) => `[Service]\nExecStart=/bin/sh -c 'echo ${word}; exec sleep infinity'\n`;
    await cluster.commit("what came between", { "units/late.service": text("between") });
    await cluster.commit("what is planned", { "units/late.service": text("planned") });
    assert.equal((await cluster.fleet("plan", "--out", file)).code, 0);
    const between = await cluster.fleet("apply", "--revision", "HEAD~1", "--auto-approve");
    assert.equal(between.code, 0, between.stdout + between.stderr);
    const [before, { release }] = [await invocations(), await cluster.status()];
    const refused = await cluster.fleet("apply", file);
    assert.equal(refused.code, 3, refused.stdout + refused.stderr);
    assert.deepEqual((await cluster.status()).release, release);
    assert.deepEqual(changed(before, await invocations()), []);
  });

  test("applying a saved plan that is still true needs no question, and once more is already applied", async () => {
    const file = join(cluster.repository, ".git", "saved-plan.json");
    await cluster.commit("remove late", { "units/late.service": null });
    assert.equal((await cluster.fleet("plan", "--out", file, "--detailed-exitcode")).code, 2);
    const applied = await cluster.fleet("apply", file);
    assert.equal(applied.code, 0, applied.stdout + applied.stderr);
    const { release } = await cluster.status();
    for (const words of [
      ["apply", file],
      ["apply", "--auto-approve"],
    ]) {
      const again = await cluster.fleet(...words);
      assert.equal(again.code, 0, again.stdout + again.stderr);
      assert.match(again.stderr, /already applied/);
    }
    assert.deepEqual((await cluster.status()).release, release);
  });

  test("wiping the placements out of etcd stops nothing, and the engine writes them again", async () => {
    const prefix = "/fleet/options/placements/";
    const keys = async () =>
      (await etcdctl("get", "--prefix", "--keys-only", prefix)).split("\n").filter(Boolean).sort();
    const [before, written] = [await invocations(), await keys()];
    assert.ok(written.length > 40);
    await etcdctl("del", "--prefix", prefix);
    await eventually("the placements are back", async () => {
      const now = await keys();
      return JSON.stringify(now) === JSON.stringify(written);
    });
    await apply();
    await agree();
    assert.deepEqual(changed(before, await invocations()), []);
  });

  test("row 45: with etcd gone nothing stops and nothing moves, and an agent still repairs what it was given", async () => {
    const before = await invocations();
    const units = [...new Set([...before.keys()].map((key) => key.slice(0, key.lastIndexOf("/"))))];
    const { leader, members } = await cluster.status();
    const leading = members.find((member) => member.id === leader?.machine)?.name ?? assert.fail("no engine leads");
    const key = [...before.keys()].find((one) => one.startsWith("worker@")) ?? assert.fail("no worker runs");
    const [unit, machine] = [key.slice(0, key.lastIndexOf("/")), key.slice(key.lastIndexOf("/") + 1)];
    await etcd.kill();
    try {
      await eventually("the engine no longer believes in its lease", async () =>
        /leads no more/.test(
          await cluster.inside(leading, "journalctl", "-q", "-o", "cat", "-n", "5", "-u", "fleet-engine"),
        ),
      );
      await cluster.inside(machine, "systemctl", "stop", unit);
      await eventually(
        `${unit} is repaired`,
        async () => (await systemd([unit], [machine])).get(key)?.active === "active",
      );
      const during = await systemd(units);
      for (const [other, invocation] of before) {
        if (other !== key) assert.equal(during.get(other)?.invocation, invocation, other);
      }
    } finally {
      await etcd.run();
    }
    await agree();
    assert.deepEqual(changed(before, await invocations()), [key]);
  });

  test("rows 41 and 43: killing an agent and an engine with -9, and stopping an agent, stops no unit", async () => {
    const before = await invocations();
    const pid = (machine: string, daemon: string) =>
      cluster.inside(machine, "systemctl", "show", "-p", "MainPID", "--value", `fleet-${daemon}`);
    const { leader, members } = await cluster.status();
    const leading = members.find((member) => member.id === leader?.machine)?.name ?? assert.fail("no engine leads");
    for (const daemon of ["agent", "engine"]) {
      const old = (await pid(leading, daemon)).trim();
      await cluster.inside(leading, "kill", "-9", old);
      await eventually(`the ${daemon} is back`, async () => !["0", old].includes((await pid(leading, daemon)).trim()));
    }
    assert.deepEqual(changed(before, await invocations()), []);
    // No longer than a moment: a machine without its agent counts as lost after four seconds here.
    const there = [...before.keys()].filter((key) => key.endsWith("/m3"));
    const aside = 'systemctl stop fleet-agent && "$@"; systemctl start --no-block fleet-agent';
    const stopped = await systemd(
      there.map((key) => key.slice(0, -"/m3".length)),
      ["m3"],
      ["sh", "-c", aside, "sh"],
    );
    assert.ok(there.length > 3);
    for (const key of there) {
      assert.deepEqual([stopped.get(key)?.active, stopped.get(key)?.invocation], ["active", before.get(key)], key);
    }
    await eventually("every machine is present", async () =>
      (await cluster.status()).members.every((member) => member.present),
    );
    await apply();
    await agree();
    assert.deepEqual(changed(before, await invocations()), []);
  });

  test("row 53: killing a machine moves what may move, leaves the rest where it runs, and plan says so in one line", async () => {
    const rows = (await cluster.status()).units;
    const home = machineOf(rows, "stays.service");
    const victim = home === "m1" ? "m4" : home;
    const bound = new Set(["pinned.service", "stays.service", "everywhere.service", "zone-b.service"]);
    const moving = rows.filter((row) => row.machineName === victim && !bound.has(row.unit)).map((row) => row.unit);
    assert.ok(moving.length > 3, moving.join(" "));
    const before = await invocations();
    await cluster.lab("kill", victim);
    await eventually("its units run elsewhere", async () => {
      const { units } = await cluster.status();
      return moving.every((unit) =>
        units.some(
          (row) =>
            row.unit === unit &&
            row.machineName !== victim &&
            (row.active === "active" || row.goal === "loaded") &&
            row.hash === row.wantedHash,
        ),
      );
    });
    const now = await invocations();
    const others = [...before].filter(([key]) => !key.endsWith(`/${victim}`));
    assert.deepEqual(
      others.filter(([key, invocation]) => now.get(key) !== invocation),
      [],
    );
    const after = (await agree()).filter((row) => row.machineName === victim).map((row) => row.unit);
    assert.deepEqual(
      after.filter((unit) => !bound.has(unit)),
      [],
    );
    for (const words of [["plan"], ["plan", "--detailed-exitcode"]]) {
      const { code, stdout, stderr } = await cluster.fleet(...words);
      assert.equal(code, 0, stdout + stderr);
      assert.equal(stdout.trim().split("\n").length, 1, stdout);
    }
    await cluster.lab("revive", victim);
    await eventually("it is back", async () => (await cluster.status()).members.every((member) => member.present));
    await apply();
    const back = await agree(moving);
    for (const unit of moving) assert.equal(back.filter((row) => row.unit === unit).length, 1, unit);
  });

  test("the reloads counted above are the ones systemd makes", async () => {
    const before = await reloads();
    await cluster.inside("m1", "systemctl", "daemon-reload");
    assert.equal((await reloads()).m1, before.m1! + 1);
  });
});
