import assert from "node:assert/strict";
import { test } from "node:test";
import { afterProbe, type HealthHistory, shareOf, toldHealth, unasked, unknownHealth } from "./judge-health.ts";

const BAD = "tcp://127.0.0.1:1: refused";

/** Asks whenever it is due: `-` passes, anything else is why it does not. */
function ask(from: HealthHistory, answers: readonly string[], share = 0): HealthHistory[] {
  const histories: HealthHistory[] = [];
  let history = from;
  for (const answer of answers) {
    history = afterProbe(history, answer === "-" ? null : answer, share, history.dueMs);
    histories.push(history);
  }
  return histories;
}

const START = unknownHealth(0);
const PASSING = afterProbe(START, null, 0, 0);
const states = (histories: readonly HealthHistory[]) => histories.map(({ state }) => state).join(" ");

test("it is asked at once when it has started, and passes with the first answer that does", () => {
  assert.deepEqual([START.state, START.dueMs], ["unknown", 0]);
  assert.equal(states(ask(START, [BAD, BAD, BAD, BAD, "-"])), "unknown unknown unknown unknown passing");
});

test("until it passes, the last reason is told", () => {
  assert.deepEqual(
    ask(START, [BAD, "another"]).map(({ detail }) => detail),
    [BAD, "another"],
  );
  assert.equal(ask(START, [BAD, "-"]).at(-1)!.detail, "");
});

test("one that passed fails with the third failure in a row, and not before", () => {
  assert.equal(states(ask(PASSING, [BAD, BAD, "-", BAD, BAD, BAD])), "passing passing passing passing passing failing");
  assert.equal(ask(PASSING, ["x", "y", BAD, "z"]).at(-1)!.detail, BAD, "by what made it fail");
});

test("one that fails passes with one answer that does", () => {
  assert.equal(states(ask(PASSING, [BAD, BAD, BAD, "-", BAD])), "passing passing failing passing passing");
});

test("it is asked every 2 s for as long as somebody may wait, then every 30 s", () => {
  const gaps = ask(START, Array(18).fill("-")).map(({ dueMs }, index, all) => dueMs - (all[index - 1]?.dueMs ?? 0));
  assert.deepEqual(new Set(gaps.slice(0, 15)), new Set([2_000]));
  assert.deepEqual(new Set(gaps.slice(15)), new Set([30_000]));
});

test("a first failure is followed up at once: it is told within 4 s", () => {
  const steady = { ...PASSING, sinceMs: -100_000, dueMs: 0 };
  const failing = ask(steady, [BAD, BAD, BAD]).at(-1)!;
  assert.deepEqual([failing.state, failing.sinceMs], ["failing", 4_000]);
});

test("one that never passes is asked every 2 s for its deadline, then every 30 s", () => {
  const dues = ask(START, Array(70).fill(BAD)).map(({ dueMs }) => dueMs);
  assert.equal(dues.filter((due) => due <= 120_000).length, 60);
  assert.equal(dues[65]! - dues[64]!, 30_000);
});

test("what an agent before this one told stays, and is asked for soon", () => {
  assert.deepEqual(states([toldHealth(PASSING, 0.5, 10)]), "passing");
  assert.equal(toldHealth(PASSING, 0.5, 10).dueMs, 15_010);
  const failing = toldHealth({ state: "failing", detail: BAD }, 0.5, 10);
  assert.deepEqual([failing.detail, failing.dueMs], [BAD, 10]);
  assert.equal(states(ask(failing, [BAD, "-"])), "failing passing");
});

test("where nobody could ask, nothing changes but the time of the next question", () => {
  assert.deepEqual(unasked({ ...PASSING, failures: 2 }, 7), { ...PASSING, failures: 2, dueMs: 2_007 });
});

test("750 services that were started at once are not asked at once for ever", () => {
  const dues = Array.from({ length: 750 }, (_, index) => {
    const share = shareOf(`web@${index}.service`);
    return ask(START, Array(40).fill("-"), share).at(-1)!.dueMs;
  });
  const first = Math.min(...dues);
  assert.ok(Math.max(...dues) - first > 30_000, "they are spread over more than one interval");
  const bySecond = [...Map.groupBy(dues, (due) => Math.floor(due / 1_000)).values()];
  const busiest = Math.max(...bySecond.map((one) => one.length));
  assert.ok(busiest < 40, `${busiest} in one second`);
});
