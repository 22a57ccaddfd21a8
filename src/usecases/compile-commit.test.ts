import assert from "node:assert/strict";
import { test } from "node:test";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { sha256 } from "../adapters/sha256.ts";
import { commitCompiler } from "./compile-commit.ts";

const manifest = "apiVersion: fleet/v1\ncluster: test\n";
const unit = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;

function world() {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const reads: string[] = [];
  let inFlight = 0;
  let most = 0;
  const counting = {
    listFiles: source.listFiles.bind(source),
    async readBlob(oid: string, maxBytes: number) {
      reads.push(oid);
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setImmediate(resolve));
      inFlight--;
      return source.readBlob(oid, maxBytes);
    },
  };
  const compile = commitCompiler({ source: counting, manifestPath: "fleet.yaml", sha256 });
  return { repository, source, compile, reads, most: () => most };
}

test("a commit compiles to its units, and asked again is not read again", async () => {
  const { repository, compile, reads } = world();
  const commit = repository.push("main", {
    "fleet.yaml": manifest,
    "units/a.service": unit("a"),
    "README.md": "no unit",
  });
  const { spec, diagnostics } = await compile(commit);
  assert.deepEqual(diagnostics, []);
  assert.deepEqual(
    spec?.units.map(({ name }) => name),
    ["a.service"],
  );
  const before = reads.length;
  assert.equal((await compile(commit)).spec, spec);
  assert.equal(reads.length, before);
});

test("a second commit reads only the blobs that are new", async () => {
  const { repository, compile, reads } = world();
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`units/u${at}.service`, unit(`${at}`)]));
  const first = await compile(repository.push("main", { "fleet.yaml": manifest, ...files }));
  const before = reads.length;
  const second = await compile(
    repository.push("main", { "fleet.yaml": manifest, ...files, "units/u7.service": unit("changed") }),
  );
  assert.equal(reads.length - before, 1);
  assert.notEqual(second.spec?.specHash, first.spec?.specHash);
  assert.match(second.spec?.units.find(({ name }) => name === "u7.service")?.fragment.text ?? "", /changed/);
});

test("at most 16 reads are in flight, and the first is alone", async () => {
  const { repository, compile, most } = world();
  const files = Object.fromEntries(Array.from({ length: 100 }, (_, at) => [`units/u${at}.service`, unit(`${at}`)]));
  const { spec } = await compile(repository.push("main", { "fleet.yaml": manifest, ...files }));
  assert.equal(spec?.units.length, 100);
  assert.equal(most(), 16);
});

test("row 82 and 83: the author's mistakes are diagnostics, all of them, with no spec", async () => {
  const { repository, compile } = world();
  const table: readonly [string, Parameters<MemoryRepository["commit"]>[0], readonly string[]][] = [
    ["no manifest", { "units/a.service": unit("a") }, ["manifest-missing"]],
    ["a manifest that is a symlink", { "fleet.yaml": { kind: "symlink" } }, ["manifest-missing"]],
    ["a folder that is a symlink", { "fleet.yaml": manifest, units: { kind: "symlink" } }, ["path-missing"]],
    [
      "a unit that is a symlink, and a submodule",
      {
        "fleet.yaml": manifest,
        ".gitmodules": '[submodule "x"]\n\tpath = units/x\n\turl = --upload-pack=touch\n\tupdate = !touch\n',
        "units/a.service": { kind: "symlink" },
        "units/b.service": { kind: "submodule" },
        "units/c.service": unit("c"),
      },
      ["unit-symlink", "unit-submodule"],
    ],
    ["a manifest beyond reading", { "fleet.yaml": `# ${"x".repeat(300_000)}` }, ["file-too-large"]],
    [
      "a file beyond reading",
      { "fleet.yaml": manifest, "units/a.service": unit("a".repeat(70_000)), "units/b.service": unit("b") },
      ["file-too-large"],
    ],
  ];
  for (const [what, files, codes] of table) {
    const { spec, diagnostics } = await compile(repository.commit(files));
    assert.equal(spec, null, what);
    assert.deepEqual(
      diagnostics.filter(({ severity }) => severity === "error").map(({ code }) => code),
      codes,
      what,
    );
  }
  const missing = (await compile(repository.commit({}))).diagnostics[0];
  assert.match(missing?.next ?? "", /fleet init/);
});

test("a commit that cannot be read is an error of the world, and is tried anew when asked again", async () => {
  const { repository, source, compile } = world();
  const commit = repository.push("main", { "fleet.yaml": manifest, "units/a.service": unit("a") });
  source.down = true;
  await assert.rejects(compile(commit), { code: "source-unreachable" });
  source.down = false;
  assert.notEqual((await compile(commit)).spec, null);
});

test("people are told what a rule finds, and shown the line; daemons are neither", async () => {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const text = "[Service]\nExecStart=/bin/true\nRestrat=always\n";
  const commit = repository.push("main", { "fleet.yaml": manifest, "units/a.service": text, "units/b.service": text });
  const compile = (lint: boolean) => commitCompiler({ source, manifestPath: "fleet.yaml", sha256, lint })(commit);
  const [people, daemons] = [await compile(true), await compile(false)];
  assert.deepEqual(
    people.diagnostics.map(({ code, at, excerpt }) => [code, at?.path, excerpt]),
    ["units/a.service", "units/b.service"].map((path) => [
      "directive-unknown",
      path,
      { text: "Restrat=always", column: 1 },
    ]),
  );
  assert.deepEqual(daemons.diagnostics, []);
  assert.equal(people.spec?.specHash, daemons.spec?.specHash);
});

test("the lines of a manifest that cannot be used are shown too", async () => {
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const commit = repository.push("main", { "fleet.yaml": "apiVersion: fleet/v1\ncluster: [\n" });
  const { diagnostics } = await commitCompiler({ source, manifestPath: "fleet.yaml", sha256, lint: true })(commit);
  assert.ok(diagnostics.length > 0);
  assert.ok(diagnostics.every(({ excerpt }) => excerpt !== undefined));
});
