import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import type { CommitId } from "../domain/names.ts";
import { MARK_FOLDER, MarkKeeper, markedCluster } from "./mark-keeper.ts";

const mark = { seq: 3, commit: "a".repeat(40) as CommitId };

test("a mark is what was written last, and names its cluster where that is the only one", async () => {
  const disk = new MemoryFileStore();
  const keeper = new MarkKeeper(disk, "edge");
  assert.deepEqual([await keeper.read(), await markedCluster(disk)], [null, null]);
  await keeper.write(mark);
  assert.deepEqual([await keeper.read(), await markedCluster(disk)], [mark, "edge"]);
  await new MarkKeeper(disk, "shop").write(mark);
  assert.equal(await markedCluster(disk), null);
});

for (const damage of ["", "null", "{}", '{"v":1,"seq":3,"commit":"../../etc"}', '{"v":9,"seq":3,"commit":"a"}']) {
  test(`a mark that reads ${JSON.stringify(damage)} is none`, async () => {
    const disk = new MemoryFileStore();
    await disk.write(`${MARK_FOLDER}/edge.json`, damage);
    assert.equal(await new MarkKeeper(disk, "edge").read(), null);
  });
}
