import assert from "node:assert/strict";
import { test } from "node:test";
import { FolderSync } from "./folder-sync.ts";

/** Syncs that end when the test says so. */
function controlled() {
  const begun: { path: string; end: (error?: Error) => void }[] = [];
  const folders = new FolderSync(
    (path) =>
      new Promise((resolve, reject) => {
        begun.push({ path, end: (error) => (error === undefined ? resolve() : reject(error)) });
      }),
  );
  return { begun, folders };
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("whoever asks while a sync runs waits for one that begins afterwards, and shares it", async () => {
  const { begun, folders } = controlled();
  const first = folders.sync("/a");
  const later = [folders.sync("/a"), folders.sync("/a")];
  assert.equal(begun.length, 1);
  begun[0]!.end();
  await first;
  await turn();
  assert.equal(begun.length, 2, "one for both");
  begun[1]!.end();
  await Promise.all(later);
  const again = folders.sync("/a");
  assert.equal(begun.length, 3, "nothing is remembered of one that has ended");
  begun[2]!.end();
  await again;
});

test("folders do not wait for each other", async () => {
  const { begun, folders } = controlled();
  const both = [folders.sync("/a"), folders.sync("/b")];
  assert.deepEqual(
    begun.map(({ path }) => path),
    ["/a", "/b"],
  );
  for (const { end } of begun) end();
  await Promise.all(both);
});

test("a failure is told to those who waited for it, and the next sync is tried anew", async () => {
  const { begun, folders } = controlled();
  const first = folders.sync("/a");
  const second = folders.sync("/a");
  begun[0]!.end(new Error("disk"));
  await assert.rejects(first, /disk/);
  await turn();
  begun[1]!.end();
  await second;
});
