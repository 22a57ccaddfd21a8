import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "../../test/property/fast-check.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import type { CommitId } from "../domain/names.ts";
import { CommitHistory } from "./read-history.ts";

/** For each commit up to two of those before it, and by how much its clock is wrong, in minutes. */
const histories = fc.array(fc.tuple(fc.nat(), fc.option(fc.nat()), fc.integer({ min: -30, max: 30 })), {
  minLength: 2,
  maxLength: 24,
});

function build(shape: readonly (readonly [number, number | null, number])[], isSkewed: boolean) {
  const repository = new MemoryRepository();
  const ids: CommitId[] = [];
  for (const [at, [first, second, skew]] of shape.entries()) {
    const parents = at === 0 ? [] : [...new Set([first, second ?? first].map((number) => ids[number % at]!))];
    const authoredMs = 10_000_000 + (at + (isSkewed ? skew : 0)) * 60_000;
    ids.push(repository.commit({ a: `${at}` }, { parents, subject: `${at}`, authoredMs }));
  }
  repository.setBranch("main", ids.at(-1)!);
  return { repository, ids, source: new MemoryGitSource(repository, "main") };
}

/** All of one commit's history, itself among them. */
function reach({ commits }: MemoryRepository, from: CommitId): ReadonlySet<CommitId> {
  const seen = new Set([from]);
  for (const commit of seen) for (const parent of commits.get(commit)!.parents) seen.add(parent);
  return seen;
}

async function between(world: ReturnType<typeof build>, from: CommitId, to: CommitId) {
  const found = await new CommitHistory(world.source).between(from, to);
  assert.ok(!("kind" in found));
  const old = reach(world.repository, from);
  const exact = [...reach(world.repository, to)].filter((commit) => !old.has(commit));
  return { found: [...found.commits.keys()].sort(), exact: exact.sort(), old };
}

test("what lies between two commits is what git says, where clocks were right", async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.nat(), async (shape, pick) => {
      const world = build(shape, false);
      const { found, exact } = await between(world, world.ids[pick % world.ids.length]!, world.ids.at(-1)!);
      assert.deepEqual(found, exact);
    }),
    { numRuns: 150 },
  );
});

test("where clocks were wrong none is left out, and what is too much is of the earlier one's own history", async () => {
  await fc.assert(
    fc.asyncProperty(histories, fc.nat(), async (shape, pick) => {
      const world = build(shape, true);
      const { found, exact, old } = await between(world, world.ids[pick % world.ids.length]!, world.ids.at(-1)!);
      assert.deepEqual(
        exact.filter((commit) => !found.includes(commit)),
        [],
      );
      assert.ok(found.every((commit) => exact.includes(commit) || old.has(commit)));
    }),
    { numRuns: 150 },
  );
});

test("a lattice of merges is gone through once, not once for each way through it", async () => {
  const repository = new MemoryRepository();
  let [left, right] = [repository.commit({ a: "l" }), repository.commit({ a: "r" })];
  const from = left;
  for (let at = 1; at <= 60; at++) {
    const authoredMs = at * 60_000;
    const parents = [left, right];
    [left, right] = [
      repository.commit({ a: `l${at}` }, { parents, authoredMs }),
      repository.commit({ a: `r${at}` }, { parents, authoredMs }),
    ];
  }
  const found = await new CommitHistory(new MemoryGitSource(repository, "main")).between(from, left);
  assert.ok(!("kind" in found));
  assert.equal(found.commits.size, 120);
});
