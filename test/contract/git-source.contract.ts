import assert from "node:assert/strict";
import { test } from "node:test";
import type { CommitId } from "../../src/domain/names.ts";
import type { GitSource } from "../../src/ports/git-source.ts";

/** One commit of the history the suite needs; parents are named by earlier ones. */
export interface HistoryStep {
  readonly name: string;
  readonly parents: readonly string[];
  readonly files: Readonly<Record<string, string>>;
  readonly subject: string;
}

/** A world holding that history, whose branch `main` is at the last step; `old` is a tag on the second, where there are tags. */
export interface GitWorld {
  readonly source: GitSource;
  /** Ids by the steps' names. */
  readonly ids: Readonly<Record<string, CommitId>>;
  /** Tags are known to whoever has the repository itself; false: only commits and the branch are. */
  readonly hasTags?: false;
  /** Puts `main` at that commit, forwards or not; null removes the branch. */
  setMain(commit: CommitId | null): Promise<void>;
  close(): Promise<void>;
}

const unit = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
const base = { "fleet.yaml": "cluster: test\n", "units/a.service": unit("a"), "units/deep/er/b.service": unit("b") };

/** root ← second ← left ┐
 *                 ↖ right ┴ merge ← tip ;  side is on second and on no branch at first. */
export const HISTORY: readonly HistoryStep[] = [
  { name: "root", parents: [], files: base, subject: "Begin" },
  { name: "second", parents: ["root"], files: { ...base, "units/a.service": unit("a2") }, subject: "Change a" },
  { name: "side", parents: ["second"], files: { ...base, "other/x": "x" }, subject: "On the side" },
  { name: "left", parents: ["second"], files: { ...base, "l/l.service": unit("l") }, subject: "Left" },
  { name: "right", parents: ["second"], files: { ...base, "r/r.service": unit("r") }, subject: "Right" },
  {
    name: "merge",
    parents: ["left", "right"],
    files: { ...base, "l/l.service": unit("l"), "r/r.service": unit("r") },
    subject: "Merge",
  },
  {
    name: "tip",
    parents: ["merge"],
    files: { ...base, "units/srv-my\\x2ddata.mount": "[Mount]\n", "units.d/c": "c" },
    subject: "Tip",
  },
];

/** A file of the tip that git lists as executable. */
export const EXECUTABLE = "units.d/c";

/** What every GitSource does. `make` builds a new world for each test. */
export function gitSourceContract(name: string, make: () => Promise<GitWorld>): void {
  const it = (sentence: string, run: (world: GitWorld) => Promise<void>) =>
    test(`${name}: ${sentence}`, async () => {
      const world = await make();
      try {
        await run(world);
      } finally {
        await world.close();
      }
    });

  it("fetch returns the branch's tip, and again after it moved", async ({ source, ids, setMain }) => {
    await setMain(ids.second!);
    assert.equal(await source.fetch(), ids.second);
    await setMain(ids.tip!);
    assert.equal(await source.fetch(), ids.tip);
  });

  it("a missing branch is an error of its own, never an empty commit", async ({ source, ids, setMain }) => {
    assert.equal(await source.fetch(), ids.tip);
    await setMain(null);
    await assert.rejects(source.fetch(), { code: "branch-missing" });
    assert.equal((await source.listFiles(ids.tip!, ["units"])).length, 3);
    await setMain(ids.tip!);
    assert.equal(await source.fetch(), ids.tip);
  });

  it("revisions resolve as git resolves them", async ({ source, ids, hasTags }) => {
    await source.fetch();
    const table: readonly [string, string | null][] = [
      ["HEAD", "tip"],
      ["@", "tip"],
      ["main", "tip"],
      ["HEAD~1", "merge"],
      ["HEAD^", "merge"],
      ["HEAD~", "merge"],
      ["HEAD^^", "left"],
      ["HEAD^^2", "right"],
      ["HEAD~2", "left"],
      ["main~1^2~1", "second"],
      ["HEAD~0", "tip"],
      ["HEAD^0", "tip"],
      [ids.left!, "left"],
      [ids.left!.slice(0, 12), "left"],
      [`${ids.left!.slice(0, 12)}~1`, "second"],
      ["old", hasTags === false ? null : "second"],
      ["HEAD~40", null],
      ["HEAD^3", null],
      ["nothing-here", null],
      ["0123456789012345678901234567890123456789", null],
      ["", null],
      ["../../etc/passwd", null],
      ["HEAD HEAD", null],
      ["HEAD~99999999999", null],
      ["-n", null],
    ];
    // Abbreviations and steps back are answered from what is here: ask for the history first, as callers do.
    await source.isAncestor(ids.root!, ids.tip!);
    for (const [revision, expected] of table) {
      assert.equal(await source.resolve(revision), expected === null ? null : ids[expected], `resolve ${revision}`);
    }
  });

  it("files are listed by folder, sorted, each once, with ids that tell equal content", async ({ source, ids }) => {
    await source.fetch();
    const list = async (commit: string, folders: string[]) =>
      (await source.listFiles(ids[commit]!, folders)).map(({ path }) => path);
    assert.deepEqual(await list("tip", ["units"]), [
      "units/a.service",
      "units/deep/er/b.service",
      "units/srv-my\\x2ddata.mount",
    ]);
    assert.deepEqual(await list("tip", [""]), [
      "fleet.yaml",
      "units.d/c",
      "units/a.service",
      "units/deep/er/b.service",
      "units/srv-my\\x2ddata.mount",
    ]);
    assert.deepEqual(await list("tip", ["units/deep", "units/deep/er/", "units/deep"]), ["units/deep/er/b.service"]);
    assert.deepEqual(await list("tip", ["fleet.yaml"]), ["fleet.yaml"], "a path that is a file is that file");
    assert.deepEqual(await list("tip", ["nowhere", "fleet.yaml/x", "unit"]), []);
    const executable = (await source.listFiles(ids.tip!, [""])).filter((file) => file.executable === true);
    assert.deepEqual(
      executable.map(({ path }) => path),
      [EXECUTABLE],
    );
    const [before] = await source.listFiles(ids.root!, ["units/a.service"]);
    const [after] = await source.listFiles(ids.second!, ["units/a.service"]);
    const [back] = await source.listFiles(ids.left!, ["units/a.service"]);
    assert.equal(before?.kind, "file");
    assert.notEqual(before?.oid, after?.oid);
    assert.equal(before?.oid, back?.oid);
  });

  it("contents are read whole up to the limit, and refused beyond it", async ({ source, ids }) => {
    await source.fetch();
    const [file] = await source.listFiles(ids.tip!, ["units/a.service"]);
    const size = Buffer.byteLength(unit("a"));
    assert.equal(Buffer.from(await source.readBlob(file!.oid, size)).toString(), unit("a"));
    await assert.rejects(source.readBlob(file!.oid, size - 1), { code: "blob-too-large" });
    await assert.rejects(source.readBlob("00".repeat(20), 100), { code: "blob-unknown" });
  });

  it("ancestry is told apart: yes, no, and itself", async ({ source, ids }) => {
    await source.fetch();
    const table: readonly [string, string, "yes" | "no"][] = [
      ["root", "tip", "yes"],
      ["right", "tip", "yes"],
      ["left", "merge", "yes"],
      ["tip", "tip", "yes"],
      ["tip", "merge", "no"],
      ["left", "right", "no"],
      ["side", "tip", "no"],
    ];
    for (const [ancestor, descendant, expected] of table) {
      assert.equal(
        await source.isAncestor(ids[ancestor]!, ids[descendant]!),
        expected,
        `${ancestor} before ${descendant}`,
      );
    }
  });

  it("a rewritten branch is followed by fetch, and ancestry says so", async ({ source, ids, setMain }) => {
    assert.equal(await source.fetch(), ids.tip);
    await setMain(ids.side!);
    assert.equal(await source.fetch(), ids.side);
    assert.equal(await source.resolve("HEAD"), ids.side);
    assert.equal(await source.isAncestor(ids.tip!, ids.side!), "no");
    assert.equal(await source.isAncestor(ids.second!, ids.side!), "yes");
  });

  it("a commit is described, and one that is not there is an error", async ({ source, ids }) => {
    await source.fetch();
    const described = await source.describeCommit(ids.merge!);
    assert.equal(described.subject, "Merge");
    assert.equal(described.commit, ids.merge);
    const nowhere = "0123456789012345678901234567890123456789" as CommitId;
    await assert.rejects(source.describeCommit(nowhere), { code: "commit-unknown" });
    await assert.rejects(source.listFiles(nowhere, ["units"]), { code: "commit-unknown" });
  });

  it("a commit's own bytes are what its id is made of, parents and all", async ({ source, ids }) => {
    await source.fetch();
    const raw = Buffer.from(await source.readCommit(ids.merge!)).toString();
    assert.match(raw, /^tree [0-9a-f]{40}\nparent /);
    assert.deepEqual(
      [...raw.matchAll(/^parent (.*)$/gm)].map(([, parent]) => parent),
      [ids.left, ids.right],
    );
    assert.match(raw, /\n\nMerge\n$/);
    const nowhere = "0123456789012345678901234567890123456789" as CommitId;
    await assert.rejects(source.readCommit(nowhere), { code: "commit-unknown" });
  });

  it("what two commits differ in is told by path: changed, added, gone", async ({ source, ids }) => {
    await source.fetch();
    const paths = async (before: string | null, after: string) =>
      (await source.changedFiles(before === null ? null : ids[before]!, ids[after]!)).map(
        ({ path, oid }) => `${path}${oid === null ? " gone" : ""}`,
      );
    assert.deepEqual(await paths("root", "second"), ["units/a.service"]);
    assert.deepEqual(await paths("root", "root"), []);
    assert.deepEqual(await paths("left", "merge"), ["r/r.service"]);
    assert.deepEqual(await paths("merge", "tip"), [
      "l/l.service gone",
      "r/r.service gone",
      "units.d/c",
      "units/srv-my\\x2ddata.mount",
    ]);
    assert.deepEqual(await paths(null, "root"), ["fleet.yaml", "units/a.service", "units/deep/er/b.service"]);
    const [changed] = await source.changedFiles(ids.root!, ids.second!);
    const [listed] = await source.listFiles(ids.second!, ["units/a.service"]);
    assert.equal(changed?.oid, listed?.oid);
  });

  it("what is brought beforehand is read as ever", async ({ source, ids }) => {
    await source.fetch();
    await source.isAncestor(ids.root!, ids.tip!);
    await source.prefetchTrees?.([ids.root!, ids.second!, ids.merge!], ["fleet.yaml", "units/deep", "nowhere"]);
    await source.prefetchChanges?.([
      [null, ids.root!],
      [ids.root!, ids.second!],
      [ids.left!, ids.merge!],
    ]);
    assert.equal((await source.listFiles(ids.second!, ["units/deep"])).length, 1);
    assert.deepEqual(
      (await source.changedFiles(ids.left!, ids.merge!)).map(({ path }) => path),
      ["r/r.service"],
    );
  });
}
