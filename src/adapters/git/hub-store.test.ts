import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { CommitId } from "../../domain/names.ts";
import type { ObjectType } from "../../ports/object-source.ts";
import { CommitReader } from "./commit-reader.ts";
import { type GitObject, objectId } from "./git-object.ts";
import { HubStore } from "./hub-store.ts";

const FILES = 20;

/** A commit on top of `parent` with files of its own and one that all have, and every object it needs. */
function makeCommit(number: number, parent: string | null): { id: CommitId; objects: Map<string, GitObject> } {
  const objects = new Map<string, GitObject>();
  const add = (type: ObjectType, content: Buffer) => {
    const object = { type, content };
    objects.set(objectId(object), object);
    return objectId(object);
  };
  const entry = (mode: string, name: string, oid: string) =>
    Buffer.concat([Buffer.from(`${mode} ${name}\0`), Buffer.from(oid, "hex")]);
  const files = Array.from({ length: FILES }, (_, at) =>
    entry("100644", `u${String(at).padStart(2, "0")}`, add("blob", Buffer.from(at === 0 ? "same" : `${number} ${at}`))),
  );
  const folder = add("tree", Buffer.concat(files));
  const root = add("tree", entry("40000", "units", folder));
  const by = "Ada <ada@example.org> 1700000000 +0000";
  const text = `tree ${root}\n${parent === null ? "" : `parent ${parent}\n`}author ${by}\ncommitter ${by}\n\n${number}\n`;
  return { id: add("commit", Buffer.from(text)) as CommitId, objects };
}

test("what the commits read last are made of outlasts tidying up, and so does history; the rest makes room", async () => {
  const folder = mkdtempSync(join(tmpdir(), "fleet-store-"));
  try {
    const damage: string[] = [];
    const open = () => new HubStore(folder, (what) => damage.push(what));
    let store = open();
    const commits: CommitId[] = [];
    // One pack each; the first one is read again and again, as what is in force here is when an agent starts.
    for (let number = 0; number < 41; number++) {
      const { id, objects } = makeCommit(number, commits.at(-1) ?? null);
      await store.add(objects);
      await store.reading(id);
      await store.reading(commits[0] ?? id);
      commits.push(id);
    }
    await store.setTip(commits.at(-1)!);
    const packs = () => readdirSync(join(store.gitFolder, "objects", "pack")).filter((name) => name.endsWith(".idx"));
    assert.equal(packs().length, 41);
    const during = makeCommit(99, commits.at(-1)!);
    await Promise.all([store.tidy(), store.add(during.objects)]);
    assert.equal(packs().length, 2, "one of all that is kept, and the one that came meanwhile");
    const filesOf = (commit: CommitId) => {
      const reader = new CommitReader(store.gitFolder, store);
      return reader.listFiles(commit, ["units"]).filter(({ oid }) => store.read(oid, 100) !== null).length;
    };
    for (const lap of ["at once", "after a restart"]) {
      for (const kept of [commits[0]!, ...commits.slice(-31), during.id]) assert.equal(filesOf(kept), FILES, lap);
      assert.throws(() => filesOf(commits[1]!), { code: "object-corrupt" }, `${lap}: nobody needs its folders`);
      const reader = new CommitReader(store.gitFolder, store);
      assert.equal(await reader.isAncestor(commits[0]!, commits.at(-1)!), "yes", lap);
      store.close();
      store = open();
    }
    assert.deepEqual(damage, []);
    assert.equal(store.tip, commits.at(-1));
    store.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});
