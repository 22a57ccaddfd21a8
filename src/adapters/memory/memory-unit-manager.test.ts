import assert from "node:assert/strict";
import { test } from "node:test";
import { detailsOf } from "../../../test/details-of.ts";
import type { UnitName } from "../../domain/names.ts";
import { JOB_WAIT_MS } from "../../ports/unit-manager.ts";
import { MemoryFileStore } from "./memory-file-store.ts";
import { MemoryUnitManager } from "./memory-unit-manager.ts";
import { VirtualClock } from "./virtual-clock.ts";

const [a, b, c] = ["a.service", "b.service", "c.service"] as UnitName[] as [UnitName, UnitName, UnitName];

async function machine(units: Readonly<Record<string, string>>) {
  const clock = new VirtualClock();
  const files = new MemoryFileStore();
  for (const [name, text] of Object.entries(units)) await files.write(`/run/systemd/system/${name}`, text);
  const manager = new MemoryUnitManager({ files, clock });
  return { clock, files, manager };
}

/** Runs it, and shows what became of it by now: its result, its error's code, or null. */
function watch(run: Promise<unknown>): () => unknown {
  let seen: unknown = null;
  run.then(
    (result) => {
      seen = result;
    },
    (error: { code?: string }) => {
      seen = error.code ?? error;
    },
  );
  return () => seen;
}

const server = "[Service]\nExecStart=/bin/server\n";

test("a job that hangs ends our waiting with timeout-waiting, and is canceled by a stop", async () => {
  const { clock, manager } = await machine({ [a]: server });
  manager.faults = (_, job) => (job === "start" ? { kind: "hang" } : null);
  const seen = watch(manager.start(a));
  await clock.advance(JOB_WAIT_MS - 1);
  assert.equal(seen(), null);
  await clock.advance(1);
  assert.equal(seen(), "timeout-waiting");
  const second = watch(manager.start(a));
  const stopped = watch(manager.stop(a));
  await clock.advance(1);
  assert.deepEqual([second(), stopped()], ["canceled", "done"]);
  assert.deepEqual(await manager.list([a]), []);
});

test("a job that is delayed is done then, and one that fails leaves its unit failed", async () => {
  const { clock, manager } = await machine({ [a]: server, [b]: server });
  manager.faults = (unit) => (unit === a ? { kind: "delay", ms: 500 } : { kind: "fail", result: "timeout" });
  const seen = [watch(manager.start(a)), watch(manager.start(b))];
  await clock.advance(499);
  assert.deepEqual([seen[0]!(), seen[1]!()], [null, "timeout"]);
  assert.deepEqual([...manager.running().keys()], []);
  await clock.advance(1);
  assert.equal(seen[0]!(), "done");
  assert.deepEqual([...manager.running().keys()], [a]);
  assert.equal((await manager.list([b]))[0]?.active, "failed");
});

test("what waits when the bus goes hears so and wakes; the job goes on, and nothing can be asked until it is back", async () => {
  const { clock, manager } = await machine({ [a]: server });
  manager.faults = () => ({ kind: "delay", ms: 100 });
  let wakes = 0;
  manager.onChange(() => wakes++, new AbortController().signal);
  const seen = watch(manager.start(a));
  await clock.advance(10);
  const before = wakes;
  manager.setReachable(false);
  await clock.advance(1_000);
  assert.equal(seen(), "systemd-unreachable");
  assert.equal(wakes, before + 1);
  await assert.rejects(manager.list([a]), { code: "systemd-unreachable" });
  manager.setReachable(true);
  assert.deepEqual([...manager.running().keys()], [a]);
});

test("power off: nothing runs, /run is empty, and a start under way is heard of no more", async () => {
  const { clock, files, manager } = await machine({
    [a]: server,
    [b]: "[Service]\nType=oneshot\nExecStart=/bin/sleep 9\n",
  });
  await manager.start(a);
  const seen = watch(manager.start(b));
  await clock.advance(1_000);
  manager.powerOff();
  await clock.advance(60_000);
  assert.equal(seen(), "systemd-unreachable");
  assert.deepEqual([...manager.running()], []);
  assert.deepEqual(await manager.list([a, b]), []);
  assert.deepEqual(await files.list("/run/systemd/system"), []);
});

test("what runs is told with the text it was started with, drop-ins joined, and a number no other start has", async () => {
  const { files, manager } = await machine({ [a]: server });
  await files.write(`/run/systemd/system/${a}.d/10.conf`, "[Service]\nNice=5\n");
  await manager.start(a);
  const first = manager.running().get(a);
  assert.equal(first?.text, `${server}[Service]\nNice=5\n`);
  await files.write(`/run/systemd/system/${a}`, `${server}# new\n`);
  await manager.reload();
  const held = `${server}# new\n[Service]\nNice=5\n`;
  assert.deepEqual(
    manager.running().get(a),
    { ...first, held },
    "systemd holds the new text, the program runs by the old",
  );
  assert.equal(manager.reloads, 1);
  await manager.stop(a);
  await manager.start(a);
  assert.notEqual(manager.running().get(a)?.invocation, first?.invocation);
  assert.match(manager.running().get(a)?.text ?? "", /# new/);
});

test("units that come after one another in a circle start all the same", async () => {
  const { clock, manager } = await machine({
    [a]: `[Unit]\nAfter=${b}\nRequires=${b}\n${server}`,
    [b]: `[Unit]\nAfter=${c}\nRequires=${c}\n${server}`,
    [c]: `[Unit]\nAfter=${a}\nRequires=${a}\n${server}`,
  });
  const seen = watch(manager.start(a));
  await clock.advance(1);
  assert.equal(seen(), "done");
  assert.deepEqual([...manager.running().keys()], [a, b, c]);
});

test("a file in /etc goes before ours in /run", async () => {
  const { files, manager } = await machine({ [a]: server });
  await files.write(`/etc/systemd/system/${a}`, `${server}# theirs\n`);
  await manager.start(a);
  assert.equal((await detailsOf(manager, a))?.fragmentPath, `/etc/systemd/system/${a}`);
});

test("the same calls give the same story", async () => {
  const story = async () => {
    const { clock, manager } = await machine({ [a]: `[Unit]\nRequires=${b}\n${server}`, [b]: server });
    const lines: string[] = [];
    manager.onChange(() => lines.push(JSON.stringify([...manager.running()])), new AbortController().signal);
    await manager.start(a);
    manager.kill(b);
    await clock.advance(100);
    lines.push(JSON.stringify(await detailsOf(manager, b)));
    return lines.join("\n");
  };
  assert.equal(await story(), await story());
});
