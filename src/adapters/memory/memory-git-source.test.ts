import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryGitSource, MemoryRepository } from "./memory-git-source.ts";

test("ids depend on content, parents and subject, and on nothing else", () => {
  const make = (subject: string) => new MemoryRepository().commit({ "units/a.service": "a" }, { subject });
  assert.equal(make("one"), make("one"));
  assert.notEqual(make("one"), make("two"));
  assert.match(make("one"), /^[0-9a-f]{40}$/);
});

test("ten thousand different texts have ten thousand different ids", () => {
  const repository = new MemoryRepository();
  const ids = Array.from({ length: 10_000 }, (_, at) => repository.commit({ [`u${at % 7}`]: `text ${at}` }));
  assert.equal(new Set(ids).size, ids.length);
});

test("each machine has a view of its own: one that is down reads what it fetched, and nothing newer", async () => {
  const repository = new MemoryRepository();
  const first = repository.push("main", { "units/a.service": "a" });
  const source = new MemoryGitSource(repository, "main");
  assert.equal(await source.fetch(), first);
  const second = repository.push("main", { "units/a.service": "b" });
  source.down = true;
  await assert.rejects(source.fetch(), { code: "source-unreachable" });
  assert.equal((await source.listFiles(first, ["units"])).length, 1);
  await assert.rejects(source.listFiles(second, ["units"]), { code: "source-unreachable" });
  source.down = false;
  assert.equal((await source.listFiles(second, ["units"])).length, 1);
});

test("a stale view returns the tip it was given, and a shallow one never says no", async () => {
  const repository = new MemoryRepository();
  const first = repository.push("main", { a: "1" });
  const second = repository.push("main", { a: "2" });
  const side = repository.commit({ a: "3" });
  const source = new MemoryGitSource(repository, "main");
  source.stale = first;
  assert.equal(await source.fetch(), first);
  source.stale = null;
  assert.equal(await source.fetch(), second);
  source.shallow = true;
  assert.equal(await source.isAncestor(side, second), "unknown");
  assert.equal(await source.isAncestor(first, second), "yes");
});
