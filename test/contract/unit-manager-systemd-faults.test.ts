import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { VirtualClock } from "../../src/adapters/memory/virtual-clock.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { SystemdUnitManager } from "../../src/adapters/systemd/systemd-unit-manager.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { labDown, labExec, labUp } from "../../src/lab/lab.ts";
import { detailsOf } from "../details-of.ts";

const LAB = `ufault-${process.pid}`;
const MACHINE = "m1";
const skip =
  process.getuid?.() !== 0
    ? "booting a machine needs root"
    : ["/usr/lib/systemd/systemd", "/lib/systemd/systemd"].some((path) => existsSync(path))
      ? false
      : "systemd is not on this machine";

const slow = "ct-slow.service" as UnitName;
const quick = "ct-quick.service" as UnitName;

describe("systemd's bus", { skip }, () => {
  let root = "";
  let init = 0;
  let bundle = "";

  before(async () => {
    bundle = mkdtempSync(join(tmpdir(), "fleet-ufault-"));
    const lab = await labUp({
      name: LAB,
      machines: 1,
      bundle: { node: process.execPath, folder: bundle },
      units: () => [],
      processes: () => [],
      environment: {},
    });
    init = lab.machines[0]!.init!.pid;
    root = `/proc/${init}/root`;
    const folder = `${root}/run/systemd/system`;
    writeFileSync(`${folder}/${slow}`, "[Service]\nType=oneshot\nExecStart=/bin/sleep 86407\n");
    writeFileSync(`${folder}/${quick}`, "[Service]\nExecStart=/bin/sleep 86408\n");
  });

  after(async () => {
    assert.deepEqual(await labDown(LAB), []);
    rmSync(bundle, { recursive: true });
  });

  const connect = () =>
    new SystemdUnitManager({ clock: systemClock, address: `unix:path=${root}/run/dbus/system_bus_socket` });

  test("its death rejects who waits, wakes who listens, and the next call is on a new one that hears signals", async () => {
    const manager = connect();
    try {
      let wakes = 0;
      const starting = manager.start(slow);
      const outcome = assert.rejects(starting, { code: "systemd-unreachable" });
      await until(async () => (await manager.list([slow]))[0]?.active === "activating");
      manager.onChange(() => wakes++, new AbortController().signal);
      const before = wakes;
      await labExec(LAB, MACHINE, ["pkill", "-KILL", "-x", "dbus-daemon"]);
      await outcome;
      await until(async () => wakes > before);
      await until(async () => {
        const [unit] = await manager.list([slow]).catch(() => []);
        return unit?.active === "activating";
      });
      assert.equal(await manager.start(quick), "done", "the end of a job is heard again");
      assert.equal(await manager.stop(slow), "done");
    } finally {
      manager.close();
    }
  });

  test("a signal that another process forges ends no job of ours", async () => {
    const manager = connect();
    try {
      const starting = manager.start(slow);
      await until(async () => (await manager.list([slow]))[0]?.active === "activating");
      const { stdout } = await labExec(LAB, MACHINE, ["systemctl", "list-jobs", "--no-legend"]);
      const job = /^\s*(\d+)\s+ct-slow/m.exec(stdout)?.[1];
      assert.ok(job !== undefined, stdout);
      const forged = ["u", job, "o", `/org/freedesktop/systemd1/job/${job}`, "s", slow, "s", "done"];
      const clients = (await labExec(LAB, MACHINE, ["busctl", "list", "--no-legend", "--unique"])).stdout;
      assert.match(clients, /^:1\.\d+/m);
      for (const client of clients.match(/^:1\.\d+/gm) ?? []) {
        const [types, values] = [
          forged.filter((_, at) => at % 2 === 0).join(""),
          forged.filter((_, at) => at % 2 === 1),
        ];
        const to = [`--destination=${client}`, "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
        await labExec(LAB, MACHINE, ["busctl", "emit", ...to, "JobRemoved", types, ...values]);
      }
      const first = await Promise.race([starting, manager.list([quick]).then(() => "still waiting")]);
      assert.equal(first, "still waiting");
      await manager.stop(slow);
      assert.equal(await starting, "canceled");
    } finally {
      manager.close();
    }
  });

  test("systemd that executes itself anew keeps its units, and is heard under its new name", async () => {
    const manager = connect();
    try {
      assert.equal(await manager.start(quick), "done");
      const before = await detailsOf(manager, quick);
      await labExec(LAB, MACHINE, ["systemctl", "daemon-reexec"]);
      await until(async () => (await manager.list([quick]).catch(() => []))[0]?.active === "active");
      assert.equal((await detailsOf(manager, quick))?.invocation, before?.invocation);
      let wakes = 0;
      manager.onChange(() => wakes++, new AbortController().signal);
      await labExec(LAB, MACHINE, ["systemctl", "stop", quick]);
      await until(async () => wakes > 0);
      assert.equal(await manager.start(quick), "done");
    } finally {
      manager.close();
    }
  });

  test("systemd that says nothing for 100 s is unreachable, and once it speaks the next call reaches it", async () => {
    const clock = new VirtualClock();
    const manager = new SystemdUnitManager({ clock, address: `unix:path=${root}/run/dbus/system_bus_socket` });
    try {
      await manager.list([quick]);
      process.kill(init, "SIGSTOP");
      const silent = Promise.all([manager.list([quick]), detailsOf(manager, quick)]);
      const outcome = assert.rejects(silent, { code: "systemd-unreachable" });
      await clock.advance(99_000);
      const early = await Promise.race([outcome.then(() => "over"), sleep(50, "waiting")]);
      assert.equal(early, "waiting");
      await clock.advance(3_000);
      await outcome;
      process.kill(init, "SIGCONT");
      assert.equal((await manager.list([quick])).length, 1);
    } finally {
      process.kill(init, "SIGCONT");
      manager.close();
    }
  });

  test("a reload under way makes calls wait and fails none", async () => {
    const manager = connect();
    try {
      const all = [
        manager.reload(),
        manager.start(quick),
        manager.list([quick]),
        manager.reload(),
        manager.stop(quick),
      ];
      await Promise.all(all);
    } finally {
      manager.close();
    }
  });
});

test("a socket that takes a connection and says nothing is given up after 10 s", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-ufault-"));
  const server = createServer();
  try {
    const connected = once(server, "connection");
    server.listen(`${folder}/bus`);
    await once(server, "listening");
    const clock = new VirtualClock();
    const manager = new SystemdUnitManager({ clock, address: `unix:path=${folder}/bus` });
    const outcome = assert.rejects(manager.list([quick]), { code: "systemd-unreachable" });
    const [socket] = (await connected) as [Socket];
    const closed = once(socket.resume(), "close");
    await clock.advance(10_001);
    await outcome;
    await closed;
    manager.close();
  } finally {
    server.close();
    rmSync(folder, { recursive: true });
  }
});

test("a bus that is not there is unreachable at once, at every call, and after close too", async () => {
  const manager = new SystemdUnitManager({ clock: systemClock, address: "unix:path=/nonexistent/bus" });
  const unreachable = { code: "systemd-unreachable" };
  await assert.rejects(manager.list([quick]), unreachable);
  await assert.rejects(manager.start(quick), unreachable);
  await assert.rejects(manager.reload(), unreachable);
  manager.close();
  await assert.rejects(manager.list([quick]), unreachable);
});

async function until(condition: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 20_000;
  while (!(await condition())) {
    if (performance.now() > deadline) assert.fail("waited too long");
    await sleep(10);
  }
}
