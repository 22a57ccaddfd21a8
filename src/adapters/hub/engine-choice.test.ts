import assert from "node:assert/strict";
import { test } from "node:test";
import { EngineChoice } from "./engine-choice.ts";
import { type HubEndpoint, parseHubAddress } from "./hub-address.ts";

const NOW = "2026-01-01T00:00:00.000Z";
const LATER = "2026-01-01T00:01:00.000Z";
const refused = { code: "engine-unreachable", detail: "connection refused", next: null } as const;
const names = (endpoints: readonly HubEndpoint[]) => endpoints.map(({ host }) => host).join(" ");

/** `random` 0 keeps the order of the address, and waits are half of their longest. */
function choiceOf(text: string, random: () => number = () => 0) {
  const { engines } = parseHubAddress(text);
  const engine = (host: string) => engines.find((one) => one.host === host)!;
  return { choice: new EngineChoice(engines, random), engine };
}

test("machines with other luck begin with other engines, and each knows all of them", () => {
  const first = new Map<string, number>();
  for (let machine = 0; machine < 30; machine++) {
    const order = choiceOf("hub://a,b,c", () => (machine % 3) / 3).choice.candidates(0);
    assert.deepEqual(order.map(({ host }) => host).sort(), ["a", "b", "c"]);
    first.set(order[0]!.host, (first.get(order[0]!.host) ?? 0) + 1);
  }
  assert.deepEqual([...first.values()], [10, 10, 10]);
});

test("the engine that works stays first, also when another one of the address comes back", () => {
  const { choice, engine } = choiceOf("hub://a,b,c");
  choice.failed(engine("a"), refused, 0, NOW);
  choice.chosen(engine("b"));
  choice.heard(engine("b"));
  assert.equal(names(choice.candidates(60_000)), "b c a");
});

test("an engine whose connection ended is tried last, and at once where there is no other", () => {
  const { choice, engine } = choiceOf("hub://a,b");
  choice.left(engine("a"));
  assert.equal(names(choice.candidates(0)), "b a");
  const only = choiceOf("hub://a");
  only.choice.left(only.engine("a"));
  assert.equal(names(only.choice.candidates(0)), "a");
});

test("an engine that fails again and again waits ever longer, up to five seconds, and never less than half of that", () => {
  for (const [luck, waits] of [
    [0, [125, 250, 500, 1000, 2000, 2500, 2500]],
    [0.999_999, [250, 500, 1000, 2000, 4000, 5000, 5000]],
  ] as const) {
    const { choice, engine } = choiceOf("hub://a", () => luck);
    let nowMs = 0;
    for (const wait of waits) {
      choice.failed(engine("a"), refused, nowMs, NOW);
      assert.equal(names(choice.candidates(nowMs + wait - 1)), "");
      nowMs += wait;
      assert.equal(names(choice.candidates(nowMs)), "a");
    }
  }
});

test("one word of an engine ends what was held against it; that it took the connection does not", () => {
  const { choice, engine } = choiceOf("hub://a");
  choice.failed(engine("a"), refused, 0, NOW);
  choice.failed(engine("a"), refused, 0, NOW);
  choice.chosen(engine("a"));
  assert.equal(choice.failures.length, 1);
  choice.heard(engine("a"));
  assert.deepEqual(choice.failures, []);
  choice.failed(engine("a"), refused, 0, NOW);
  assert.equal(names(choice.candidates(125)), "a", "the waits begin anew");
});

test("why each cannot be used is known in the order of the address, since the first failure of the same kind", () => {
  const { choice, engine } = choiceOf("hub://a,b:7");
  choice.failed(engine("b"), { ...refused, code: "expired" }, 0, NOW);
  choice.failed(engine("a"), refused, 0, NOW);
  choice.failed(engine("a"), { ...refused, detail: "no route" }, 0, LATER);
  choice.failed(engine("b"), { ...refused, code: "wrong-key" }, 0, LATER);
  assert.deepEqual(choice.failures, [
    { ...refused, engine: "a:7440", detail: "no route", since: NOW },
    { ...refused, engine: "b:7", code: "wrong-key", since: LATER },
  ]);
});
