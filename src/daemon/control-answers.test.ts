import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { type ControlRequest, decodeControlAnswer, encodeControlRequest } from "../codec/control-message.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { MachineId } from "../domain/names.ts";
import type { StandaloneState } from "../domain/standalone/standalone-state.ts";
import { HoldMemory } from "../usecases/hold-memory.ts";
import { controlAnswers } from "./control-answers.ts";
import { HoldWatch } from "./hold-watch.ts";

const self = { machine: "1".repeat(32) as MachineId, name: "nas" };
const hold = { do: "hold", what: "web.service", forMs: 60_000, reason: "cabling", by: "ada" } as const;

test("a unit or the whole machine is held, listed and let go of", async () => {
  const { ask } = world();
  const placed = await ask(hold);
  assert.deepEqual(placed.holds, [
    {
      scope: { kind: "unit", unit: "web.service" },
      reason: "cabling",
      by: "ada",
      at: "2026-01-01T00:00:00.000Z",
      forMs: 60_000,
      placedAt: self.machine,
    },
  ]);
  for (const what of ["machine", self.name, self.machine]) {
    assert.deepEqual((await ask({ ...hold, what })).holds.length, 2, what);
    assert.equal((await ask({ do: "end-hold", what })).ended, true);
    assert.equal((await ask({ do: "end-hold", what })).ended, false);
  }
  assert.deepEqual((await ask({ do: "holds" })).holds, placed.holds);
});

test("it ends by itself", async () => {
  const { ask, clock } = world();
  await ask(hold);
  await clock.advance(60_000);
  assert.deepEqual((await ask({ do: "holds" })).holds, []);
});

test("who asks what is followed is told, where it is git alone, and of a machine of engines nothing", async () => {
  const { holds, clock } = world();
  const state = { cluster: "edge", branch: "main" } as StandaloneState;
  const line = encodeControlRequest({ do: "standalone" });
  const asked = async (following: (() => Promise<StandaloneState>) | null) =>
    decodeControlAnswer(await controlAnswers(self, holds, clock, following)(line)).standalone;
  assert.deepEqual(await asked(async () => state), state);
  assert.equal(await asked(null), undefined);
});

const REFUSED: readonly [string, string, string][] = [
  ["no JSON", "hold web.service", "bad-request"],
  ["no version", '{"do":"holds"}', "bad-request"],
  ["a newer version", '{"v":9,"do":"holds"}', "bad-request"],
  ["what nobody does", '{"v":1,"do":"reboot"}', "bad-request"],
  ["a name every object has", '{"v":1,"do":"constructor"}', "bad-request"],
  ["a field that is missing", '{"v":1,"do":"hold","what":"web.service"}', "bad-request"],
  ["no time", encodeControlRequest({ ...hold, forMs: 0 }), "bad-request"],
  ["for ever", encodeControlRequest({ ...hold, forMs: 1e12 }), "bad-request"],
  ["a time that is no number", encodeControlRequest(hold).replace("60000", "null"), "bad-request"],
  ["a reason as long as a book", encodeControlRequest({ ...hold, reason: "x".repeat(501) }), "bad-request"],
  ["the whole cluster", encodeControlRequest({ ...hold, what: "cluster" }), "nothing-to-hold"],
  ["another machine", encodeControlRequest({ ...hold, what: "pi" }), "nothing-to-hold"],
];

for (const [says, line, code] of REFUSED) {
  test(`refused with why: ${says}`, async () => {
    const { answer, holds } = world();
    const answered = await answer(line);
    assert.throws(() => decodeControlAnswer(answered), { code });
    assert.deepEqual(holds.known(), []);
  });
}

test("what is no answer is said to be none", () => {
  for (const line of ["", "{}", '{"v":1}', '{"v":1,"error":null}', '{"v":9,"machine":"","name":"","holds":[]}']) {
    assert.throws(() => decodeControlAnswer(line), { code: "bad-answer" });
  }
});

function world() {
  const clock = new VirtualClock();
  const memory = new HoldMemory(new MemoryFileStore(), "/state");
  const holds = new HoldWatch(self.machine, registryKeys("home"), { memory, clock, wake: () => {} });
  const answer = controlAnswers(self, holds, clock);
  const ask = async (request: ControlRequest) => decodeControlAnswer(await answer(encodeControlRequest(request)));
  return { answer, ask, clock, holds };
}
