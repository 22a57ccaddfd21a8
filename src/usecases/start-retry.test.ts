import assert from "node:assert/strict";
import { test } from "node:test";
import { AgentMachine, server, unit } from "../../test/agent-machine.ts";
import type { UnitName } from "../domain/names.ts";

const A = "a.service";

/** Every start asked of systemd, in seconds from the beginning. */
function startsOf(machine: AgentMachine): number[] {
  const began = machine.clock.monotonicMs();
  const starts: number[] = [];
  const start = machine.manager.start.bind(machine.manager);
  machine.manager.start = (name: UnitName, queued?: () => void) => {
    if (name === A) starts.push(Math.round((machine.clock.monotonicMs() - began) / 1000));
    return start(name, queued);
  };
  return starts;
}

/** Passes as often as an agent makes them that is woken all the time. */
async function passes(machine: AgentMachine, wanted: Parameters<AgentMachine["pass"]>[0], seconds: number) {
  for (let pass = 0; pass < seconds * 10; pass++) {
    const ended = machine.pass(wanted);
    await machine.clock.advance(100);
    await ended;
  }
}

// Each pass that starts it comes up to 100 ms late.
test("a unit that systemd refuses to start is tried again less and less often, and at once with another text", async () => {
  const machine = new AgentMachine();
  const starts = startsOf(machine);
  const bad = unit(A, server("x", "Requires=nowhere.service\n"));
  await passes(machine, [bad], 900);
  assert.deepEqual(
    starts.map((at, index) => at - (starts[index - 1] ?? 0)),
    [0, 1, 2, 4, 8, 17, 32, 64, 128, 256, 300],
  );
  assert.equal(machine.failure(A)?.code, "unit-not-found");
  await passes(machine, [unit(A, server("y"))], 1);
  assert.equal(starts.length, 12);
  assert.equal(machine.failure(A), null);
  machine.assertAs([unit(A, server("y"))]);
});

test("what made a start fail is mended on the machine: the next try finds it so", async () => {
  const machine = new AgentMachine();
  const starts = startsOf(machine);
  const needy = unit(A, server("x", "Requires=later.service\nAfter=later.service\n"));
  await passes(machine, [needy], 10);
  await machine.disk.write("/etc/systemd/system/later.service", server("later"));
  await passes(machine, [needy], 10);
  assert.deepEqual(starts, [0, 1, 3, 7, 15]);
  assert.ok(machine.manager.running().has(A as UnitName));
  assert.equal(machine.failure(A), null);
});
