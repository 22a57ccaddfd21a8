import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, UNITS, unit } from "../../test/agent-machine.ts";
import { detailsOf } from "../../test/details-of.ts";
import { ProcessDied } from "../adapters/memory/memory-file-store.ts";
import type { UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";

const A = "a.service";
const B = "b.service";

interface Text {
  readonly about?: string;
  readonly restart?: string;
  readonly trigger?: string;
  readonly serves?: string;
  readonly head?: string;
}

/** Its description nobody notices, its Restart= systemd must read, its trigger its own reload applies, what it serves restarts it. */
const text = ({ about = "x", restart = "no", trigger = "1", serves = "x", head = "" }: Text) =>
  `[Unit]\nDescription=${about}\nX-Reload-Triggers=${trigger}\n${head}` +
  `[Service]\nRestart=${restart}\nExecStart=/bin/server ${serves}\nExecReload=/bin/echo heard\n`;
const a = (lines: Text = {}, changes = {}) => unit(A, text(lines), changes);
const b = (lines: Text = {}, changes = {}) => unit(B, text(lines), changes);

/** What of the texts is in force, by unit: held by systemd, and by the process since its start or its last own reload. */
function inForce(machine: AgentMachine): Record<string, readonly (string | undefined)[]> {
  const value = (content: string, key: string) => content.match(new RegExp(`^${key}=(.*)$`, "m"))?.[1];
  return Object.fromEntries(
    [...machine.manager.running()].map(([name, { text: process, reloaded, held }]) => [
      name,
      [value(held, "Restart"), value(reloaded ?? process, "X-Reload-Triggers"), value(process, "ExecStart")],
    ]),
  );
}

function assertInForce(machine: AgentMachine, wanted: readonly WantedUnit[], because = ""): void {
  const value = (one: WantedUnit, key: string) => one.files[0]!.text.match(new RegExp(`^${key}=(.*)$`, "m"))?.[1];
  const expected = wanted.map(
    (one) => [one.name, ["Restart", "X-Reload-Triggers", "ExecStart"].map((key) => value(one, key))] as const,
  );
  assert.deepEqual(inForce(machine), Object.fromEntries(expected), because);
  for (const file of wanted.flatMap((one) => one.files)) {
    assert.equal(machine.disk.peek(`${UNITS}/${file.path}`)?.text, file.text, because);
  }
}

const starts = (machine: AgentMachine) => [...machine.manager.running()].map(([name, one]) => [name, one.invocation]);

const GENTLE: readonly [string, readonly WantedUnit[], readonly WantedUnit[], number][] = [
  ["a description", [a()], [a({ about: "new" })], 0],
  [
    "two descriptions of units that name each other",
    [a(), b({ head: `After=${A}\n` })],
    [a({ about: "n" }), b({ head: `After=${A}\n`, about: "n" })],
    0,
  ],
  ["a drop-in of comments", [a()], [a({}, { files: { [`${A}.d/10.conf`]: "# nothing\n" } })], 0],
  ["what systemd must read", [a(), b()], [a({ restart: "always" }), b({ restart: "always" })], 1],
  ["what its own reload applies", [a(), b()], [a({ trigger: "2" }), b({ trigger: "2", restart: "always" })], 1],
  [
    "one of each",
    [a(), b(), unit("c.service", text({}))],
    [a({ about: "n" }), b({ restart: "always" }), unit("c.service", text({ trigger: "2" }))],
    1,
  ],
];

for (const [sentence, before, after, reloads] of GENTLE) {
  test(`${sentence}: no process is touched, and systemd reads its units ${reloads} times`, async () => {
    const machine = new AgentMachine();
    await machine.settle(before);
    const [started, read] = [starts(machine), machine.manager.reloads];
    await machine.during(machine.pass(after));
    assertInForce(machine, after);
    assert.deepEqual(starts(machine), started);
    assert.equal(machine.manager.reloads - read, reloads);
    await machine.pass(after);
    assert.equal(machine.tasks, 0, "one pass was enough");
  });

  test(`dying at any step of ${sentence}: no process is touched, forward or back`, async () => {
    for (const target of ["forward", "back"] as const) {
      for (let step = 1; ; step++) {
        const machine = new AgentMachine();
        await machine.settle(before);
        const started = starts(machine);
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
        assertInForce(machine, goal, `${target} after step ${step}`);
        assert.deepEqual(starts(machine), started, `${target} after step ${step}`);
        if (!died) break;
      }
    }
  });
}

test("several gentle changes one after another are judged by what runs, and a change that restarts restarts", async () => {
  const machine = new AgentMachine();
  await machine.settle([a()]);
  const started = starts(machine);
  for (const lines of [{ about: "1" }, { restart: "always" }, { about: "2" }, { trigger: "2" }, {}]) {
    await machine.settle([a(lines)]);
    assertInForce(machine, [a(lines)]);
    assert.deepEqual(starts(machine), started);
  }
  await machine.settle([a({ serves: "new" })]);
  assertInForce(machine, [a({ serves: "new" })]);
  assert.notDeepEqual(starts(machine), started);
});

test("a quiet change stops nothing along with it, and starts what is down", async () => {
  const machine = new AgentMachine();
  const follower = (about: string) => b({ about, head: `Requires=${A}\nAfter=${A}\n` });
  await machine.settle([a(), follower("x")]);
  const started = starts(machine);
  await machine.settle([a({ about: "new" }), follower("new")]);
  assert.deepEqual(starts(machine), started);
  await machine.manager.stop(B as UnitName);
  await machine.settle([a({ about: "newer" }), follower("newer")]);
  assertInForce(machine, [a({ about: "newer" }), follower("newer")]);
});

test("a oneshot that is done is not run again by a quiet change, nor by one that systemd must read", async () => {
  const once = (about: string, limit: string) =>
    unit(A, `[Unit]\nDescription=${about}\n[Service]\nType=oneshot\nExecStart=/bin/true\nTimeoutStopSec=${limit}\n`);
  // Held or forgotten: one that another unit names is read again, one that nobody names is not.
  for (const others of [[], [b({ head: `After=${A}\n` })]]) {
    const machine = new AgentMachine();
    await machine.settle([once("1", "7"), ...others]);
    const runs: string[] = [];
    machine.manager.faults = (name, job) => {
      runs.push(`${job} ${name}`);
      return null;
    };
    for (const change of [once("2", "7"), once("2", "8"), once("3", "9")]) await machine.settle([change, ...others]);
    assert.deepEqual(runs, []);
    await machine.settle([unit(A, "[Service]\nType=oneshot\nExecStart=/bin/echo other\n"), ...others]);
    assert.deepEqual(runs, [`start ${A}`]);
  }
});

test("a failure stays one under a quiet change, and its new text is the one that counts", async () => {
  const machine = new AgentMachine();
  const broken = (about: string) => unit(A, `[Unit]\nDescription=${about}\n[Service]\nExecStart=/bin/false\n`);
  await machine.settle([broken("1")]);
  const failed = await detailsOf(machine.manager, A as UnitName);
  await machine.settle([broken("2")]);
  assert.deepEqual(await detailsOf(machine.manager, A as UnitName), failed);
});

test("a reload of its own that fails is a problem of the unit, which runs on and is not told again", async () => {
  const machine = new AgentMachine();
  await machine.settle([a()]);
  const started = starts(machine);
  let reloads = 0;
  machine.manager.faults = (_, job) => {
    if (job === "reload") reloads++;
    return job === "reload" ? { kind: "fail", result: "failed" } : null;
  };
  const wanted = [a({ trigger: "2" })];
  await machine.settle(wanted);
  assert.deepEqual(machine.failure(A), { code: "reload-failed", detail: "the reload job ended with failed" });
  assert.deepEqual([starts(machine), reloads], [started, 1]);
  machine.manager.faults = () => null;
  await machine.settle([a({ trigger: "3" })]);
  assert.equal(machine.failure(A), null);
  assertInForce(machine, [a({ trigger: "3" })]);
});

test("a reload of its own is told again after systemd could not be reached", async () => {
  const machine = new AgentMachine();
  await machine.settle([a()]);
  const started = starts(machine);
  let reloads = 0;
  machine.manager.faults = () => ({ kind: "delay", ms: ++reloads * 1_000 });
  const wanted = [a({ trigger: "2" })];
  const lost = machine.pass(wanted);
  lost.catch(() => {});
  await machine.clock.advance(100);
  machine.manager.setReachable(false);
  await assert.rejects(lost, { code: "systemd-unreachable" });
  assert.equal(machine.failure(A)?.code, "systemd-unreachable");
  await machine.clock.advance(10_000);
  machine.manager.setReachable(true);
  await machine.settle(wanted);
  assert.deepEqual([reloads, machine.failure(A), starts(machine)], [2, null, started]);
  assertInForce(machine, wanted);
});

test("a reload of its own that takes a minute holds up no other unit for longer than five seconds", async () => {
  const machine = new AgentMachine();
  await machine.settle([a()]);
  machine.manager.faults = (_, job) => (job === "reload" ? { kind: "delay", ms: 60_000 } : null);
  const wanted = [a({ trigger: "2" }), b()];
  const began = machine.clock.monotonicMs();
  let over = false;
  void machine.pass(wanted).then(() => {
    over = true;
  });
  await machine.clock.runUntil(() => over, 60_000);
  assert.equal(machine.clock.monotonicMs() - began, 5_000);
  await machine.pass(wanted);
  assert.equal(machine.tasks, 0, "it was told, which is enough");
  await machine.clock.advance(60_000);
  await machine.settle(wanted);
  assertInForce(machine, wanted);
});

test("a text that is no longer known means restart", async () => {
  const machine = new AgentMachine();
  await machine.settle([a()]);
  const started = starts(machine);
  for (const name of machine.disk.names("/var/lib/fleet/agent/units")) {
    await machine.disk.remove(`/var/lib/fleet/agent/units/${name}`);
  }
  machine.restart();
  await machine.settle([a({ about: "new" })]);
  assert.notDeepEqual(starts(machine), started);
});
