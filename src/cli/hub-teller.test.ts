import assert from "node:assert/strict";
import { test } from "node:test";
import type { HubState } from "../domain/hub/hub-state.ts";
import { hubTeller } from "./hub-teller.ts";

const since = "2026-01-01T00:00:00.000Z";
const failure = (engine: string, code: string) => ({
  engine,
  code,
  detail: `${engine} says no`,
  next: "ask it",
  since,
});
const state = (engine: string | null, ...failures: ReturnType<typeof failure>[]): HubState => ({
  engine,
  since,
  failures,
});

/** What is said of one state after the other, so much later each. */
function sayings() {
  const lines: string[] = [];
  let nowMs = 0;
  const tell = hubTeller(({ priority, message }) => lines.push(`${priority} ${message}`), { monotonicMs: () => nowMs });
  return (next: HubState, afterMs = 0): string[] => {
    nowMs += afterMs;
    tell(next);
    return lines.splice(0);
  };
}

const through = (engine: string) => `notice the registry is reached through ${engine}`;

test("each change is said once: another engine, another reason why one cannot be used", () => {
  const said = sayings();
  assert.deepEqual(said(state(null)), []);
  assert.deepEqual(said(state("a:7440")), [through("a:7440")]);
  assert.deepEqual(said(state("a:7440"), 100_000), []);
  const late = state(null, failure("a:7440", "engine-timeout"));
  assert.deepEqual(said(late), ["warning engine-timeout: a:7440 says no; next: ask it"]);
  for (let pass = 0; pass < 1_000; pass++) assert.deepEqual(said(late, 5_000), [], "as long as it lasts");
  assert.deepEqual(said(state("b:7440", failure("a:7440", "expired"))), [
    "warning expired: a:7440 says no; next: ask it",
    through("b:7440"),
  ]);
});

test("a line that goes up and down all day says so once a minute, and of what is wrong every ten", () => {
  const said = sayings();
  said(state("a:7440"));
  for (let second = 1; second < 60; second++) {
    assert.deepEqual(said(state(second % 2 === 0 ? "a:7440" : "b:7440"), 1_000), [], `after ${second} s`);
  }
  assert.deepEqual(said(state("b:7440"), 1_000), [through("b:7440")]);
  const failing = state("b:7440", failure("a:7440", "engine-timeout"));
  assert.equal(said(failing).length, 1);
  said(state("b:7440"));
  assert.deepEqual(said(failing, 599_000), []);
  said(state("b:7440"));
  assert.equal(said(failing, 600_000).length, 1, "news again once it has been over for that long");
});
