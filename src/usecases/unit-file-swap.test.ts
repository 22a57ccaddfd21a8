import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server, UNITS, unit } from "../../test/agent-machine.ts";
import type { UnitName } from "../domain/names.ts";
import { OperationError } from "../ports/operation-error.ts";

const [A, B, C] = ["a.service", "b.service", "c.service"] as UnitName[] as [UnitName, UnitName, UnitName];
const invocations = (machine: AgentMachine) =>
  Object.fromEntries([...machine.manager.running()].map(([name, one]) => [name, one.invocation]));

for (const fault of ["disk-full", "read-only"] as const) {
  test(`${fault}: what should change runs on with its old text, who is down is started, and all is made good later`, async () => {
    const machine = new AgentMachine();
    const before = [unit(A, server("old")), unit(B, server("b")), unit(C, server("c"))];
    const after = [unit(A, server("new")), unit(B, server("b")), unit(C, server("c")), unit("d.service", server("d"))];
    // Its memory, on another disk, has all texts.
    await machine.settle(after);
    await machine.settle(before);
    const started = invocations(machine);
    await machine.during(machine.manager.stop(B));
    machine.disk.fault = fault;
    const problems = await problemsOf(machine, after);
    assert.deepEqual(Object.keys(problems), [A, "d.service"]);
    for (const { code, detail } of Object.values(problems))
      assert.match(`${code}: ${detail}`, new RegExp(`^${fault}: .*/run/`));
    assert.deepEqual(Object.keys(invocations(machine)).sort(), [A, B, C]);
    assert.deepEqual([invocations(machine)[A], invocations(machine)[C]], [started[A], started[C]]);
    assert.deepEqual(machine.files(), [A, B, C]);
    machine.disk.fault = null;
    await machine.settle(after);
    machine.assertAs(after);
    assert.equal(invocations(machine)[C], started[C]);
  });

  test(`${fault}: what has to go is stopped all the same, and its files go later`, async () => {
    const machine = new AgentMachine();
    await machine.settle([unit(A, server("a")), unit(B, server("b"))]);
    machine.disk.fault = fault;
    assert.deepEqual(Object.keys(await problemsOf(machine, [unit(B, server("b"))])), [A]);
    assert.deepEqual([Object.keys(machine.running()), machine.files()], [[B], [A, B]]);
    machine.disk.fault = null;
    await machine.settle([unit(B, server("b"))]);
    machine.assertAs([unit(B, server("b"))]);
  });
}

test("one text that does not fit on the disk keeps back its own unit, and leaves nothing of it", async () => {
  const machine = new AgentMachine();
  const dropin = (text: string) => ({ files: { [`${A}.d/10.conf`]: `[Service]\nEnvironment=X=${text}\n` } });
  await machine.settle([unit(A, server("old")), unit(B, server("old"))]);
  const started = invocations(machine);
  const stage = machine.disk.stage.bind(machine.disk);
  const full = `${UNITS}/${A}.d/10.conf`;
  machine.disk.stage = async (path, text) => {
    if (path === full) throw new OperationError("disk-full", `cannot write ${path}`);
    await stage(path, text);
  };
  const after = [unit(A, server("new"), dropin("1")), unit(B, server("new"))];
  const problems = await machine.during(machine.pass(after));
  assert.deepEqual([...problems], [[A, { code: "disk-full", detail: `cannot write ${full}` }]]);
  assert.deepEqual(machine.running(), { [A]: server("old"), [B]: server("new") });
  assert.equal(invocations(machine)[A], started[A]);
  assert.deepEqual(machine.files(), [A, B]);
  machine.disk.stage = stage;
  await machine.settle([unit(A, server("old")), unit(B, server("new"))]);
  assert.equal(invocations(machine)[A], started[A], "and back again, nothing had happened to it");
  await machine.settle(after);
  machine.assertAs(after);
});

test("a disk that fills up while files take their places stops no start, and what was done is remembered and done once", async () => {
  const machine = new AgentMachine();
  await machine.settle([unit(A, server("old"))]);
  const after = [unit(A, server("new"))];
  machine.beforeWrite = async () => {
    machine.disk.fault = "disk-full";
  };
  await assert.rejects(machine.during(machine.pass(after)), { code: "disk-full" });
  machine.assertAs(after);
  const started = invocations(machine);
  for (let pass = 0; pass < 3; pass++) await machine.during(machine.pass(after));
  assert.deepEqual(invocations(machine), started);
  machine.disk.fault = null;
  await machine.save();
  machine.restart();
  await machine.settle(after);
  assert.deepEqual(invocations(machine), started);
});

async function problemsOf(machine: AgentMachine, wanted: Parameters<AgentMachine["pass"]>[0]) {
  let problems: Record<string, { code: string; detail: string }> = {};
  // Starts of others cannot be remembered now either; that is the whole pass's error, after all else.
  for (let pass = 0; pass < 3; pass++) {
    problems = Object.fromEntries(await machine.during(machine.pass(wanted)).catch(() => new Map()));
  }
  return problems;
}
