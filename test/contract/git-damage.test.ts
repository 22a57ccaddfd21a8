/** Rows 70, 71 and 86 of the faults: what arrives in part, what rots on the disk, and what of a repository would steer git itself. */
import assert from "node:assert/strict";
import fs, { chmodSync, mkdirSync, readdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { damagePacks, noise, withRemote } from "./git-remote-world.ts";
import { makeTestRepository } from "./git-repository.ts";

withRemote("row 70: a pack cut at each tenth leaves the mirror as it was, and the next fetch works", async (remote) => {
  const first = remote.repository.commit({ "units/a.service": "a" }) as CommitId;
  const source = await remote.open();
  await source.fetch();
  const second = remote.repository.commit({ "units/b.service": noise(20_000, 2) }) as CommitId;
  // ls-refs answers are small; only the pack is cut.
  const cutAt = (afterBytes: number) => {
    remote.server.fault = { kind: "cut", afterBytes, only: /upload-pack$/ };
  };
  cutAt(1_000);
  await assert.rejects(source.fetch(), { code: "source-unreachable" });
  const whole = remote.server.answers.at(-1)!.bytes;
  assert.ok(whole > 20_000, `${whole} bytes`);
  for (let tenth = 1; tenth <= 9; tenth++) {
    cutAt(Math.floor((whole * tenth) / 10));
    await assert.rejects(source.fetch(), { code: "source-unreachable" }, `${tenth} tenths`);
    assert.equal(await source.resolve("HEAD"), first, `${tenth} tenths`);
    assert.equal((await source.listFiles(first, ["units"])).length, 1, `${tenth} tenths`);
  }
  remote.server.fault = null;
  assert.equal(await source.fetch(), second);
  assert.equal((await source.listFiles(second, ["units"])).length, 2);
});

/** What becomes of a mirror's folder, and whether that makes it a damaged one, which is set aside for whoever wants to know what happened. */
const DAMAGES: readonly (readonly [what: string, damage: (gitFolder: string) => void, isSetAside: boolean])[] = [
  ["a whole pack", damagePacks, true],
  ["a byte of a pack's first object", (folder) => flip(packFile(folder, "pack"), 20), true],
  ["a byte in the middle of a pack", (folder) => flip(packFile(folder, "pack"), sizeOf(folder, "pack") >> 1), true],
  ["a pack that ends early", (folder) => truncateSync(packFile(folder, "pack"), sizeOf(folder, "pack") >> 1), true],
  ["a pack's index that ends early", (folder) => truncateSync(packFile(folder, "idx"), 100), true],
  ["no pack at all", (folder) => fs.rmSync(join(folder, "objects/pack"), { recursive: true, force: true }), true],
  ["a HEAD cut short", (folder) => writeFileSync(join(folder, "HEAD"), "re"), false],
  ["an empty HEAD", (folder) => truncateSync(join(folder, "HEAD")), false],
  ["the mark of what arrived cut short", (folder) => truncateSync(join(folder, "refs/fleet/tip"), 20), false],
  [
    "locks that nobody holds",
    (folder) => {
      for (const name of ["HEAD", "shallow", "packed-refs", "config", "refs/fleet/tip"])
        writeFileSync(join(folder, `${name}.lock`), "");
    },
    false,
  ],
];

for (const [what, damage, isSetAside] of DAMAGES) {
  const then = isSetAside ? "is set aside and cloned again" : "goes on";
  withRemote(`row 71: a mirror with ${what} ${then}, while it is open and when it is opened`, async (remote) => {
    const commit = remote.repository.commit({ "units/a.service": noise(5_000, 3) }) as CommitId;
    const gitFolder = join(remote.folder, "repo.git");
    const source = await remote.open();
    await source.fetch();
    damage(gitFolder);
    const reads = async (from: typeof source) => {
      const [file] = await from.listFiles(commit, ["units"]);
      return Buffer.from(await from.readBlob(file!.oid, 10_000));
    };
    assert.deepEqual(await reads(source), noise(5_000, 3));
    await source.close();
    damage(gitFolder);
    const again = await remote.open();
    assert.equal(await again.resolve("HEAD"), commit);
    assert.deepEqual(await reads(again), noise(5_000, 3));
    assert.equal(readdirSync(remote.folder).includes("corrupt"), isSetAside);
    const next = remote.repository.commit({ "units/b.service": "b" }) as CommitId;
    assert.equal(await again.fetch(), next, "and it is fetched into as ever");
    assert.equal((await again.listFiles(next, ["units"])).length, 2);
  });
}

/** Everything a repository or its surroundings have to make git show or do something else than what a commit says. */
const STEERED: readonly (readonly [what: string, steer: (git: Git, gitFolder: string, evil: string) => void])[] = [
  ["a replaced commit", (git, _, evil) => git("update-ref", `refs/replace/${git("rev-parse", "HEAD")}`, evil)],
  [
    "a replaced blob",
    (git, _, evil) =>
      git("update-ref", `refs/replace/${git("rev-parse", "HEAD:units/a.service")}`, `${evil}:units/a.service`),
  ],
  [
    "grafts",
    (git, folder, evil) => {
      mkdirSync(join(folder, "info"), { recursive: true });
      writeFileSync(join(folder, "info/grafts"), `${git("rev-parse", "HEAD")} ${evil}\n`);
    },
  ],
  [
    "hooks",
    (_, folder) => {
      for (const name of ["post-checkout", "pre-receive", "update", "reference-transaction", "post-update"]) {
        const path = join(folder, "hooks", name);
        mkdirSync(join(folder, "hooks"), { recursive: true });
        writeFileSync(path, `#!/bin/sh\ntouch "${join(folder, "ran")}"\n`);
        chmodSync(path, 0o755);
      }
    },
  ],
  [
    "filters and line ends of .gitattributes, and a fsmonitor",
    (git, folder) => {
      mkdirSync(join(folder, "info"), { recursive: true });
      writeFileSync(join(folder, "info/attributes"), "* text eol=crlf filter=evil ident\n");
      git("config", "filter.evil.smudge", `touch "${join(folder, "ran")}"; echo evil`);
      git("config", "core.fsmonitor", `touch "${join(folder, "ran")}"`);
      git("config", "core.autocrlf", "true");
    },
  ],
];
type Git = (...words: readonly string[]) => string;

for (const [what, steer] of STEERED) {
  test(`row 86: ${what}: nothing of it is read, and nothing run`, async () => {
    const repository = makeTestRepository();
    const source = openLocalGitSource(repository.path, "main");
    try {
      const git: Git = (...words) => repository.git(words);
      repository.commit({ "units/a.service": "$Id$ as it was\n" });
      const evil = repository.commit({ "units/a.service": "evil\n" });
      const attributes = "* text eol=crlf filter=evil ident\n";
      const tip = repository.commit({ "units/a.service": "$Id$ as it is\n", ".gitattributes": attributes }) as CommitId;
      const before = git("rev-parse", "HEAD~1") as CommitId;
      steer(git, join(repository.path, ".git"), evil);
      const fresh = openLocalGitSource(repository.path, "main");
      for (const one of [source, fresh]) {
        assert.equal(await one.fetch(), tip);
        const [file] = await one.listFiles(tip, ["units"]);
        assert.equal(Buffer.from(await one.readBlob(file!.oid, 100)).toString(), "$Id$ as it is\n");
        assert.equal(await one.resolve("HEAD~1"), before);
        assert.match(Buffer.from(await one.readCommit(tip)).toString(), new RegExp(`^parent ${before}$`, "m"));
      }
      await fresh.close();
      assert.ok(!fs.existsSync(join(repository.path, ".git/ran")));
    } finally {
      await source.close();
      repository.remove();
    }
  });
}

withRemote("row 86: what the environment tells git is nothing to a fetch", async ({ repository, server, open }) => {
  const tip = repository.commit({ "units/a.service": "a" }) as CommitId;
  const elsewhere = makeTestRepository();
  const evil = elsewhere.commit({ "units/a.service": "evil" });
  const set = {
    GIT_DIR: join(elsewhere.path, ".git"),
    GIT_OBJECT_DIRECTORY: join(elsewhere.path, ".git/objects"),
    GIT_ALTERNATE_OBJECT_DIRECTORIES: join(elsewhere.path, ".git/objects"),
    GIT_WORK_TREE: elsewhere.path,
    GIT_NAMESPACE: "evil",
    GIT_REPLACE_REF_BASE: "refs/heads/",
    GIT_CONFIG_COUNT: "1",
    GIT_CONFIG_KEY_0: `url.${elsewhere.path}.insteadOf`,
    GIT_CONFIG_VALUE_0: server.url,
    GIT_SSH_COMMAND: "false",
  };
  const before = Object.fromEntries(Object.keys(set).map((name) => [name, process.env[name]]));
  try {
    Object.assign(process.env, set);
    const source = await open();
    assert.equal(await source.fetch(), tip);
    const [file] = await source.listFiles(tip, ["units"]);
    assert.equal(Buffer.from(await source.readBlob(file!.oid, 100)).toString(), "a");
    await assert.rejects(source.describeCommit(evil as CommitId), { code: "commit-unknown" });
    const local = openLocalGitSource(repository.path, "main");
    assert.equal(await local.fetch(), tip);
    await local.close();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
    elsewhere.remove();
  }
});

function packFile(gitFolder: string, end: "pack" | "idx"): string {
  const folder = join(gitFolder, "objects/pack");
  const path = join(folder, readdirSync(folder).find((name) => name.endsWith(`.${end}`))!);
  chmodSync(path, 0o644);
  return path;
}

function sizeOf(gitFolder: string, end: "pack" | "idx"): number {
  return readFileSync(packFile(gitFolder, end)).length;
}

function flip(path: string, at: number): void {
  const bytes = readFileSync(path);
  bytes[at]! ^= 0x10;
  writeFileSync(path, bytes);
}
