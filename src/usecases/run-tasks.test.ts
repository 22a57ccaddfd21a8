import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server, UNITS, unit } from "../../test/agent-machine.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { TaskProblems } from "./run-tasks.ts";

const A = "a.service";
const B = "b.service";
const dropin = (name: string, text: string) => ({ [`${name}.d/10.conf`]: `[Service]\nEnvironment=X=${text}\n` });

const CHANGES: readonly [string, readonly WantedUnit[], readonly WantedUnit[]][] = [
  ["a new unit is started", [], [unit(A, server("new"))]],
  ["a changed unit runs its new text", [unit(A, server("old"))], [unit(A, server("new"))]],
  ["a unit that goes is stopped and its files with it", [unit(A, server("old"))], []],
  [
    "a unit another loaded unit names, which systemd therefore never forgets, runs its new text",
    [unit(A, server("old")), unit(B, server("other", `After=${A}\n`))],
    [unit(A, server("new")), unit(B, server("other", `After=${A}\n`))],
  ],
  [
    "a unit that gains its first drop-in runs with it",
    [unit(A, server("same"))],
    [unit(A, server("same"), { files: dropin(A, "1") })],
  ],
  [
    "a unit that loses its drop-in runs without",
    [unit(A, server("same"), { files: dropin(A, "1") })],
    [unit(A, server("same"))],
  ],
  [
    "what is stopped along with a changed unit is up again",
    [unit(A, server("old")), unit(B, server("other", `Requires=${A}\nAfter=${A}\n`))],
    [unit(A, server("new")), unit(B, server("other", `Requires=${A}\nAfter=${A}\n`))],
  ],
  ["a unit that is only to be loaded is stopped", [unit(A, server("x"))], [unit(A, server("x"), { goal: "loaded" })]],
  [
    "one goes, one comes, one changes",
    [unit(A, server("old")), unit("c.service", server("c"))],
    [unit(A, server("new")), unit(B, server("b"))],
  ],
];

for (const [sentence, before, after] of CHANGES) {
  test(sentence, async () => {
    const machine = new AgentMachine();
    await machine.settle(before);
    machine.assertAs(before);
    await machine.during(machine.pass(after));
    machine.assertAs(after, "in one pass");
    await machine.settle(after);
    machine.assertAs(after);
  });

  test(`dying at any step while ${sentence}: the next process makes it whole, forward or back`, async () => {
    for (const target of ["forward", "back"] as const) {
      for (let step = 1; ; step++) {
        const machine = new AgentMachine();
        await machine.settle(before);
        machine.disk.dieAfter(step);
        const died = await machine.during(machine.pass(after)).then(
          () => false,
          (error: unknown) => {
            assert.ok(error instanceof ProcessDied, String(error));
            return true;
          },
        );
        machine.restart();
        const goal = target === "forward" ? after : before;
        await machine.settle(goal);
        machine.assertAs(goal, `${target} after step ${step}`);
        if (!died) break;
      }
    }
  });
}

test("what was failed and has a new text is started again with it; the same text is not", async () => {
  const machine = new AgentMachine();
  const broken = unit(A, "[Service]\nExecStart=/bin/false\n");
  await machine.settle([broken]);
  assert.equal((await machine.manager.list([A as UnitName]))[0]?.active, "failed");
  await machine.pass([broken]);
  assert.equal(machine.tasks, 0, "systemd gave up on this text");
  const fixed = unit(A, server("fixed"));
  await machine.settle([fixed]);
  machine.assertAs([fixed]);
});

test("a oneshot that has ended well is not run again, by this process or the next", async () => {
  const machine = new AgentMachine();
  const job = unit(A, "[Service]\nType=oneshot\nExecStart=/bin/echo once\n");
  await machine.settle([job]);
  machine.restart();
  await machine.settle([job]);
  assert.deepEqual(await machine.manager.journal(A as UnitName, 10), ["once"]);
});

test("a oneshot whose start never reached systemd is started by the next process, or once the bus is back", async () => {
  const job = unit(A, "[Service]\nType=oneshot\nExecStart=/bin/echo once\n");
  for (const isDeath of [true, false]) {
    const machine = new AgentMachine();
    const { manager } = machine;
    const start = manager.start.bind(manager);
    const lost = Promise.withResolvers<never>();
    manager.start = () => lost.promise;
    void machine.pass([job]);
    await machine.clock.advance(1_000);
    if (isDeath) machine.restart();
    else lost.reject(new OperationError("systemd-unreachable", "no reply"));
    manager.start = start;
    await machine.settle([job]);
    assert.deepEqual(await manager.journal(A as UnitName, 10), ["once"], isDeath ? "died" : "no reply");
  }
});

test("a template that two units share goes with the last of them", async () => {
  const machine = new AgentMachine();
  const shared = { "notify@.service": server("notify") };
  const [a, b] = [unit(A, server("a"), { files: shared }), unit(B, server("b"), { files: shared })];
  const state = () => [Object.keys(machine.running()), machine.files()];
  await machine.settle([a, b]);
  await machine.settle([b]);
  assert.deepEqual(state(), [[B], [B, "notify@.service"]]);
  await machine.settle([a]);
  assert.deepEqual(state(), [[A], [A, "notify@.service"]], "one goes as the other comes");
  await machine.settle([]);
  assert.deepEqual(state(), [[], []]);
});

test("a stop that takes a minute holds up no other unit for longer than five seconds, and is finished later", async () => {
  const machine = new AgentMachine();
  const before = [unit(A, server("old")), unit(B, server("old"))];
  const after = [unit(A, server("new")), unit(B, server("new"))];
  await machine.settle(before);
  machine.manager.faults = (name, job) => (name === A && job === "stop" ? { kind: "delay", ms: 60_000 } : null);
  const started = machine.clock.monotonicMs();
  let problems: TaskProblems | null = null;
  void machine.pass(after).then((result) => {
    problems = result;
  });
  await machine.clock.runUntil(() => problems !== null, 60_000);
  assert.equal(machine.clock.monotonicMs() - started, 5_000);
  await machine.clock.advance(1);
  assert.match(machine.running()[B] ?? "", /new/);
  assert.match(machine.running()[A] ?? "", /old/, "and its files were not swapped under it");
  assert.deepEqual(
    [...problems!].map(([name, { code }]) => [name, code]),
    [[A, "stopping"]],
  );
  await machine.pass(after);
  assert.equal(machine.tasks, 0, "what is stopping is left alone");
  await machine.clock.advance(60_000);
  await machine.settle(after);
  machine.assertAs(after);
});

test("a start is not waited for, and is left alone until it ends", async () => {
  const machine = new AgentMachine();
  machine.manager.faults = (name) => (name === A ? { kind: "delay", ms: 30_000 } : null);
  const wanted = [unit(A, server("slow")), unit(B, server("quick"))];
  const started = machine.clock.monotonicMs();
  await machine.pass(wanted);
  assert.equal(machine.clock.monotonicMs(), started);
  await machine.clock.advance(1);
  assert.deepEqual(Object.keys(machine.running()), [B]);
  await machine.pass(wanted);
  assert.equal(machine.tasks, 0);
  await machine.clock.advance(30_000);
  machine.assertAs(wanted);
});

test("a unit that has to go is stopped while it starts, before another one starts", async () => {
  const machine = new AgentMachine();
  machine.manager.faults = (name, job) => (name === A && job === "start" ? { kind: "delay", ms: 30_000 } : null);
  await machine.pass([unit(A, server("a"))]);
  await machine.clock.advance(1_000);
  await machine.during(machine.pass([unit(B, server("b"))]));
  machine.assertAs([unit(B, server("b"))]);
  await machine.clock.advance(60_000);
  machine.assertAs([unit(B, server("b"))], "and its start never comes to its end");
  assert.equal(machine.failure(A), null, "which is no failure");
});

test("a start nobody heard the end of is a failure of what is not up, and none of what is", async () => {
  const machine = new AgentMachine();
  machine.manager.faults = () => ({ kind: "delay", ms: 1_000 });
  const wanted = [unit(A, server("a"))];
  await machine.pass(wanted);
  machine.manager.setReachable(false);
  await machine.clock.advance(10);
  assert.equal(machine.failure(A)?.code, "systemd-unreachable");
  machine.manager.setReachable(true);
  await machine.pass(wanted);
  assert.equal(machine.failure(A)?.code, "systemd-unreachable");
  await machine.clock.advance(1_000);
  await machine.pass(wanted);
  assert.equal(machine.failure(A), null);
  machine.assertAs(wanted);
});

test("a unit that cannot be stopped keeps its files, and the others go on", async () => {
  const machine = new AgentMachine();
  await machine.settle([unit(A, server("old")), unit(B, server("old"))]);
  machine.manager.faults = (name, job) => (name === A && job === "stop" ? { kind: "fail", result: "failed" } : null);
  const after = [unit(A, server("new")), unit(B, server("new"))];
  const problems = await machine.during(machine.pass(after));
  assert.deepEqual(
    [...problems].map(([name, { code }]) => [name, code]),
    [[A, "stop-failed"]],
  );
  assert.match(machine.disk.peek(`${UNITS}/${A}`)?.text ?? "", /old/);
  assert.match(machine.running()[B] ?? "", /new/);
  machine.manager.faults = () => null;
  await machine.settle(after);
  machine.assertAs(after);
});

test("a unit that something starts again while its files are changed does not go on with its old text", async () => {
  const machine = new AgentMachine();
  const before = [unit(A, server("old"))];
  const after = [unit(A, server("new"))];
  await machine.settle(before);
  machine.beforeWrite = async () => {
    machine.beforeWrite = async () => {};
    await machine.manager.start(A as UnitName);
  };
  await machine.settle(after);
  machine.assertAs(after);
});

test("units that come to a machine start in the order they come after one another", async () => {
  const machine = new AgentMachine();
  const order: string[] = [];
  machine.manager.faults = (name, job) => {
    if (job === "start") order.push(name);
    return { kind: "delay", ms: 100 };
  };
  const wanted = [unit(A, server("a", `After=${B}\n`)), unit(B, server("b"))];
  await machine.settle(wanted);
  assert.deepEqual(order, [B, A]);
});

test("a hundred changed units that systemd holds cost one daemon-reload", async () => {
  const machine = new AgentMachine();
  const names = Array.from({ length: 100 }, (_, at) => `u${at}.service`);
  const holder = unit("holder.service", server("holder", `After=${names.join(" ")}\n`));
  const units = (text: string) => [...names.map((name) => unit(name, server(text))), holder];
  await machine.settle(units("old"));
  const before = machine.manager.reloads;
  await machine.during(machine.pass(units("new")));
  assert.equal(machine.manager.reloads - before, 1);
  machine.assertAs(units("new"));
});

test("a new unit costs no daemon-reload", async () => {
  const machine = new AgentMachine();
  await machine.settle([unit(A, server("a")), unit(B, server("b"))]);
  assert.equal(machine.manager.reloads, 0);
});
