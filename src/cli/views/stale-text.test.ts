import assert from "node:assert/strict";
import { test } from "node:test";
import type { Release } from "../../domain/cluster/cluster-snapshot.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../../domain/names.ts";
import type { Moved } from "../../domain/plan/what-moved.ts";
import { alreadyText, movedText, staleText } from "./stale-text.ts";

const NOW = Date.parse("2026-03-01T12:00:00.000Z");
const [m1, m2] = ["1".repeat(32), "2".repeat(32)] as [MachineId, MachineId];
const web = "web.service" as UnitName;
const about = { machine: m1, name: "m1" };
const was = { seq: 4, commit: "c".repeat(40) as CommitId };

function release(at: string): Release {
  const commit = "ab12cd3".padEnd(40, "0") as CommitId;
  return { seq: 5, commit, specHash: "s" as SpecHash, contentId: "", planId: "", parent: null, by: "bob", at };
}
const moved = (at: string): Moved => ({ code: "release", was, now: release(at) });

const LINES: readonly [Moved, string][] = [
  [moved("2026-03-01T11:56:00.000Z"), "release 5 (commit ab12cd3) by bob, 4 min ago"],
  [moved("2026-03-01T11:59:57.500Z"), "release 5 (commit ab12cd3) by bob, 2 s ago"],
  [moved("2026-03-01T10:30:00.000Z"), "release 5 (commit ab12cd3) by bob, 1 hour ago"],
  [moved("2026-02-20T12:00:00.000Z"), "release 5 (commit ab12cd3) by bob, 9 days ago"],
  [moved("2026-03-01T12:05:00.000Z"), "release 5 (commit ab12cd3) by bob at 2026-03-01T12:05:00.000Z"],
  [moved("once\u001b[2J"), "release 5 (commit ab12cd3) by bob at once\\x1b[2J"],
  [{ code: "release", was, now: null }, "the release is gone from the registry"],
  [{ code: "no-cluster" }, "this registry holds no such cluster: it is empty, or another one"],
  [
    { code: "other-cluster", was: "a".repeat(32), now: "b".repeat(32) },
    "this registry's cluster is another one of the same name (bbbbbbbb, was aaaaaaaa)",
  ],
  [{ code: "machine-joined", ...about }, "machine m1 joined"],
  [{ code: "machine-left", ...about }, "machine m1 was removed"],
  [{ code: "machine-away", ...about }, "machine m1 went away"],
  [{ code: "machine-returned", ...about }, "machine m1 came back"],
  [{ code: "machine-renamed", ...about, now: "nas" }, "machine m1 is called nas"],
  [{ code: "machine-metadata", ...about, keys: ["role", "zone"] }, "machine m1 has other metadata (role, zone)"],
  [{ code: "unit-elsewhere", unit: web, was: [m1], now: [m2] }, "web.service is on nas, was on m1"],
  [{ code: "unit-elsewhere", unit: web, was: [], now: [m1, m2] }, "web.service is on m1, nas, was on no machine"],
  [
    { code: "unit-version", unit: web, machine: m1, was: "a".repeat(64) as UnitHash, now: "b".repeat(64) as UnitHash },
    "web.service on m1 has other files (bbbbbbb, had aaaaaaa)",
  ],
  [
    { code: "unit-goal", unit: web, machine: m1, was: "launched", now: "loaded" },
    "web.service on m1 is wanted loaded, was launched",
  ],
  [
    { code: "unrecorded" },
    "a machine's own metadata or what it runs besides fleet's changed, or the registry was replaced",
  ],
];

const plan = {
  commit: "f".repeat(40) as CommitId,
  base: { releaseSeq: 4, releaseCommit: was.commit, basis: "" },
  machines: [{ id: m1, name: "m1", present: true, metadata: {} }],
};
const names = new Map([
  [m1, "renamed since"],
  [m2, "nas"],
]);

for (const [one, line] of LINES) {
  test(`what moved is said: ${line}`, () => assert.equal(movedText(plan, [one], names, NOW), `  ${line}`));
}

test("a stale plan says what it was made on, what moved, that nothing changed and what to do", () => {
  assert.equal(
    staleText(plan, [moved("2026-03-01T11:56:00.000Z")], names, NOW),
    [
      "stale plan: it was made for commit fffffff on release 4, and since then",
      "  release 5 (commit ab12cd3) by bob, 4 min ago",
      "Nothing was changed. Plan again: fleet plan",
    ].join("\n"),
  );
  const first = { ...plan, base: { ...plan.base, releaseSeq: 0, releaseCommit: null } };
  assert.match(staleText(first, [{ code: "no-cluster" }], names, NOW), /^stale plan: .* before there was a release, /);
});

test("already applied: by its own release, by one with the same content, or by one that has its commit", () => {
  const ids = { commit: plan.commit, planId: "p", contentId: "c" };
  const own = { ...release(""), planId: "p" };
  assert.equal(alreadyText(ids, own, own), "already applied as release 5 by bob");
  const squash = { ...release(""), contentId: "c" };
  assert.equal(
    alreadyText(ids, squash, { ...own, seq: 7 }),
    "already applied as release 5 by bob; release 7 is in force since",
  );
  const later = { ...release(""), planId: "q", contentId: "d" };
  assert.equal(alreadyText(ids, later, later), "already applied: release 5 by bob has commit fffffff in its history");
});

test("a screenful at most", () => {
  const many = Array.from({ length: 12 }, (): Moved => ({ code: "machine-joined", ...about }));
  const lines = movedText(plan, many, names, NOW).split("\n");
  assert.deepEqual([lines.length, lines.at(-1)], [11, "  and 2 more"]);
});
