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

test("each change is said once: another engine, another reason why one cannot be used", () => {
  const lines: string[] = [];
  const tell = hubTeller(({ priority, message }) => lines.push(`${priority} ${message}`));
  const said = (next: HubState): string[] => {
    tell(next);
    return lines.splice(0);
  };
  const throughA = "notice the registry is reached through a:7440";
  const late = "warning engine-timeout: a:7440 says no; next: ask it";
  assert.deepEqual(said(state(null)), []);
  assert.deepEqual(said(state("a:7440")), [throughA]);
  assert.deepEqual(said(state("a:7440")), []);
  assert.deepEqual(said(state(null, failure("a:7440", "engine-timeout"))), [late]);
  assert.deepEqual(said(state(null, failure("a:7440", "engine-timeout"))), []);
  assert.deepEqual(said(state("b:7440", failure("a:7440", "expired"))), [
    "warning expired: a:7440 says no; next: ask it",
    "notice the registry is reached through b:7440",
  ]);
  assert.deepEqual(said(state("b:7440")), []);
  assert.deepEqual(said(state("b:7440", failure("a:7440", "expired"))).length, 1, "a reason that comes back is news");
});
