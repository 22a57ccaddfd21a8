import assert from "node:assert/strict";
import { test } from "node:test";
import type { UnitHash } from "../names.ts";
import { judgeRestarts, type RestartHistory, type RestartingUnit } from "./restart-loop.ts";

const HASH = "a".repeat(64) as UnitHash;
const waiting = (invocation: number, hash = HASH): RestartingUnit => ({
  hash,
  sub: "auto-restart",
  invocation: String(invocation),
  result: "exit-code",
});
const running = (invocation: number): RestartingUnit => ({ ...waiting(invocation), sub: "running" });
/** The same start seen `everyMs`, `count` times over. */
const ends = (count: number, everyMs: number, unit = waiting): [number, RestartingUnit][] =>
  Array.from({ length: count }, (_, index) => [index * everyMs, unit(index)]);

const CASES: readonly [string, readonly [number, RestartingUnit][], boolean][] = [
  ["four ends are none", ends(4, 5_000), false],
  ["five are", ends(5, 5_000), true],
  ["one end seen again and again is one", ends(9, 1_000, () => waiting(1)), false],
  ["five in an hour are none", ends(5, 720_000), false],
  ["up in between, it goes on", [...ends(5, 5_000), [22_000, running(5)]], true],
  ["it waits for a minute before each start", [...ends(5, 60_000), [299_000, waiting(4)]], true],
  ["up for half a minute, it is over", [...ends(5, 5_000), [50_000, running(5)]], false],
  ["over, the next end is a relapse", [...ends(5, 5_000), [50_000, running(5)], [55_000, waiting(5)]], true],
  [
    "a program that ends well each time is no loop",
    ends(9, 5_000, (one) => ({ ...waiting(one), result: "success" })),
    false,
  ],
  ["another text begins anew", [...ends(5, 5_000), [25_000, waiting(5, "b".repeat(64) as UnitHash)]], false],
  [
    "systemd 254 has another word for it",
    ends(5, 5_000, (one) => ({ ...waiting(one), sub: "auto-restart-queued" })),
    true,
  ],
];

for (const [sentence, seen, isLooping] of CASES) {
  test(`a restart loop: ${sentence}`, () => {
    let history: RestartHistory | null = null;
    let last = false;
    for (const [atMs, unit] of seen) ({ history, isLooping: last } = judgeRestarts(history, unit, atMs));
    assert.equal(last, isLooping);
    assert.ok((history?.ends.length ?? 0) <= 5, "what is remembered is bounded");
  });
}
