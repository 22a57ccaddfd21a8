import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { CommitId } from "../domain/names.ts";
import type { LogLine } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { clusterOfBranch } from "./cluster-of-branch.ts";

type Answer = "named" | "away" | "silent" | "broken";

/** What the source answers, one after the other; the last one again and again. */
function world(...answers: Answer[]) {
  const clock = new VirtualClock();
  const log: string[] = [];
  let asked = 0;
  const source = {
    fetch: async () => {
      const answer = answers[Math.min(asked++, answers.length - 1)]!;
      if (answer === "away") throw new OperationError("source-unreachable", "no route");
      if (answer === "silent") await clock.sleep(60_000);
      return answer as unknown as CommitId;
    },
  };
  const compile = (async (commit: string) =>
    commit === "broken"
      ? { spec: null, diagnostics: [{ code: "bad", severity: "error", saw: "no manifest" }] }
      : { spec: { cluster: "branch" }, diagnostics: [] }) as unknown as CommitCompiler;
  const stop = new AbortController();
  return { clock, log, stop, world: { source, compile, clock, log: ({ message }: LogLine) => log.push(message) } };
}

const CASES: readonly [string, readonly Answer[], string | null, string, number][] = [
  ["the branch says it", ["named"], null, "branch", 0],
  ["the branch goes before what is remembered: it may have a new name", ["named"], "before", "branch", 0],
  ["without git it is the one from before, at once", ["away"], "before", "before", 0],
  ["git that accepts and never answers is not waited for", ["silent"], "before", "before", 5_000],
  ["a tip that does not compile names nothing", ["broken"], "before", "before", 0],
  [
    "a machine that never had one waits until git is there",
    ["away", "silent", "broken", "named"],
    null,
    "branch",
    120_000,
  ],
];

for (const [sentence, answers, remembered, name, withinMs] of CASES) {
  test(`which cluster a daemon belongs to: ${sentence}`, async () => {
    const { clock, stop, world: ports } = world(...answers);
    let found: string | null = null;
    void clusterOfBranch(ports, remembered, stop.signal).then((cluster) => {
      found = cluster;
    });
    await clock.advance(withinMs);
    assert.equal(found, name);
  });
}

test("which cluster a daemon belongs to: stopped while it waits, it says so", async () => {
  const { clock, stop, world: ports, log } = world("away");
  const asked = assert.rejects(clusterOfBranch(ports, null, stop.signal), { code: "stopped" });
  await clock.advance(1_000);
  stop.abort();
  await clock.advance(60_000);
  await asked;
  assert.match(log[0]!, /source-unreachable: no route/);
});
