import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import fs, { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import * as git from "isomorphic-git";
import { openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import { openMirrorGitSource } from "../../src/adapters/git/mirror-git-source.ts";
import { openGitSource } from "../../src/adapters/git/open-git-source.ts";
import type { CommitId } from "../../src/domain/names.ts";
import type { GitHttpServer } from "./git-http-server.ts";
import { damagePacks, noise, withRemote } from "./git-remote-world.ts";
import { makeTestRepository, type TestRepository } from "./git-repository.ts";

const packs = (server: GitHttpServer) => server.answers.filter(({ path }) => path === "/git-upload-pack");

withRemote("an unchanged tip is polled without a transfer, and a small change transfers little", async (remote) => {
  const files = Object.fromEntries(Array.from({ length: 50 }, (_, at) => [`units/u${at}.service`, noise(2_000, at)]));
  const first = remote.repository.commit(files);
  const source = await remote.open();
  assert.equal(await source.fetch(), first);
  const cloned = packs(remote.server).at(-1)!.bytes;
  const before = packs(remote.server).length;
  assert.equal(await source.fetch(), first);
  // A poll is one small question (protocol v2's ls-refs goes to the same path).
  assert.ok(
    packs(remote.server)
      .slice(before)
      .every(({ bytes }) => bytes < 500),
  );
  const second = remote.repository.commit({ "units/u1.service": noise(2_000, 99) });
  assert.equal(await source.fetch(), second);
  assert.ok(packs(remote.server).at(-1)!.bytes < cloned / 10, "an incremental fetch must not send the snapshot again");
});

withRemote(
  "row 67: with the server down, what was fetched is still read, also after a restart; fetch says so",
  async (remote) => {
    const commit = remote.repository.commit({ "units/a.service": "a" }) as CommitId;
    const first = await remote.open();
    await first.fetch();
    await first.close();
    await remote.server.close();
    const source = await remote.open();
    assert.equal(await source.resolve("HEAD"), commit);
    assert.equal((await source.listFiles(commit, ["units"])).length, 1);
    await assert.rejects(source.fetch(), { code: "source-unreachable" });
    assert.equal((await source.listFiles(commit, ["units"])).length, 1);
  },
);

for (const [kind, sentence] of [
  ["silent", "row 68: a server that is silent is given up on at the deadline"],
  ["drip", "row 69: a server that drips is given up on at the deadline"],
] as const) {
  withRemote(sentence, async (remote) => {
    remote.repository.commit({ "units/a.service": noise(4_000, 1) });
    const source = await remote.open({ pollTimeoutMs: 300, transferTimeoutMs: 300 });
    remote.server.fault = { kind };
    await assert.rejects(source.fetch(), { code: "source-timeout" });
    remote.server.fault = null;
    const healthy = await source.fetch().catch(() => source.fetch());
    assert.match(healthy, /^[0-9a-f]{40}$/);
  });
}

withRemote("a first clone cut half way leaves nothing behind, and works when tried again", async (remote) => {
  const commit = remote.repository.commit({ "units/b.service": noise(20_000, 2) });
  const source = await remote.open();
  remote.server.fault = { kind: "cut", afterBytes: 10_000, only: /upload-pack$/ };
  await assert.rejects(source.fetch(), { code: "source-unreachable" });
  assert.deepEqual(readdirSync(remote.folder), ["lock"]);
  remote.server.fault = null;
  assert.equal(await source.fetch(), commit);
});

withRemote("a pack above the limit is refused", async (remote) => {
  remote.repository.commit({ "units/b.service": noise(60_000, 2) });
  const source = await remote.open({ packBytesMax: 20_000 });
  await assert.rejects(source.fetch(), { code: "pack-too-large" });
});

withRemote("answers that are refusals keep their meaning", async (remote) => {
  remote.repository.commit({ "units/a.service": "a" });
  const source = await remote.open();
  for (const [status, code] of [
    [401, "source-unauthorized"],
    [403, "source-unauthorized"],
    [404, "source-not-found"],
    [302, "source-moved"],
    [500, "source-unreachable"],
  ] as const) {
    remote.server.fault = { kind: "status", status };
    await assert.rejects(source.fetch(), { code });
  }
});

withRemote("credentials of the address reach the server and no message, file or log", async (remote) => {
  remote.repository.commit({ "units/a.service": "a" });
  const url = remote.server.url.replace("http://", "http://robot:s3cret@");
  const source = await openMirrorGitSource({ url, branch: "main", folder: remote.folder });
  await source.fetch();
  const sent = Buffer.from(String(remote.server.lastHeaders.authorization).split(" ")[1] ?? "", "base64").toString();
  assert.equal(sent, "robot:s3cret");
  remote.server.fault = { kind: "status", status: 403 };
  await assert.rejects(source.fetch(), (error: Error) => !`${error.message} ${String(error.cause)}`.includes("s3cret"));
  await source.close();
  assert.throws(
    () => execFileSync("grep", ["-r", "s3cret", remote.folder]),
    "no file of the mirror may hold the password",
  );
});

withRemote("row 76: a missing branch and an empty repository are `branch-missing`", async (remote) => {
  const source = await remote.open();
  await assert.rejects(source.fetch(), { code: "branch-missing" });
  remote.repository.commit({ "units/a.service": "a" });
  await source.close();
  const other = await remote.open({}, "absent");
  await assert.rejects(other.fetch(), { code: "branch-missing" });
});

withRemote("ancestry on a shallow mirror is deepened for, and unknown where no more can be had", async (remote) => {
  const commits: CommitId[] = [];
  for (let at = 0; at < 70; at++) commits.push(remote.repository.commit({}, `commit ${at}`) as CommitId);
  const source = await remote.open();
  const tip = await source.fetch();
  const shallow = () => fs.existsSync(join(remote.folder, "repo.git", "shallow"));
  assert.ok(shallow());
  assert.equal(await source.isAncestor(commits[60]!, tip), "yes");
  assert.ok(shallow(), "the first step is 64 commits");
  assert.equal(await source.isAncestor(commits[0]!, tip), "yes");
  assert.ok(!shallow(), "all of it is here now");
  assert.equal(await source.isAncestor("0".repeat(40) as CommitId, tip), "no");
});

withRemote("with the remote gone, ancestry on a shallow mirror is never `no`", async (remote) => {
  const old = remote.repository.commit({}, "old") as CommitId;
  remote.repository.commit({}, "middle");
  remote.repository.commit({}, "new");
  const source = await remote.open();
  const tip = await source.fetch();
  await remote.server.close();
  await assert.rejects(source.isAncestor(old, tip), { code: "source-unreachable" });
});

withRemote("row 72: a branch rewritten to an unrelated history is followed, and is no descendant", async (remote) => {
  for (let at = 0; at < 5; at++) remote.repository.commit({ "units/a.service": `a${at}` });
  const source = await remote.open();
  const before = await source.fetch();
  remote.repository.git(["checkout", "--quiet", "--orphan", "other"]);
  const rewritten = remote.repository.commit({ "units/a.service": "rewritten" }) as CommitId;
  remote.repository.git(["update-ref", "refs/heads/main", rewritten]);
  assert.equal(await source.fetch(), rewritten);
  assert.notEqual(await source.isAncestor(before, rewritten), "yes");
  assert.equal((await source.listFiles(before, ["units"])).length, 1, "what was accepted can still be read");
});

withRemote("an older commit of the branch is fetched when it is asked for", async (remote) => {
  const old = remote.repository.commit({ "units/old.service": "old" }) as CommitId;
  remote.repository.commit({ "units/old.service": null, "units/new.service": "new" });
  const source = await remote.open();
  await source.fetch();
  const [file] = await source.listFiles(old, ["units"]);
  assert.equal(file?.path, "units/old.service");
  assert.equal(Buffer.from(await source.readBlob(file.oid, 100)).toString(), "old");
});

withRemote(
  "a mirror killed while its history was being deepened does not believe what had not arrived",
  async (remote) => {
    const commits = Array.from({ length: 5 }, (_, at) => remote.repository.commit({}, `commit ${at}`) as CommitId);
    const first = await remote.open();
    const tip = await first.fetch();
    const shallow = join(remote.folder, "repo.git", "shallow");
    const before = fs.readFileSync(shallow);
    assert.equal(await first.isAncestor(commits[0]!, tip), "yes");
    await first.close();
    // Killed after the pack came and before it was believed: what ends there still says so.
    fs.writeFileSync(shallow, before);
    const source = await remote.open();
    assert.equal(await source.isAncestor(commits[0]!, tip), "yes");
    assert.equal((await source.describeCommit(commits[1]!)).subject, "commit 1");
  },
);

withRemote("many reads that find the same damage make one new clone", async (remote) => {
  // Too large for a pack's reader to have them read along with the tree.
  const files = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`units/u${at}.service`, noise(6_000, at)]));
  const commit = remote.repository.commit(files) as CommitId;
  const source = await remote.open();
  await source.fetch();
  const listed = await source.listFiles(commit, ["units"]);
  damagePacks(join(remote.folder, "repo.git"));
  const before = packs(remote.server).filter(({ bytes }) => bytes > 5_000).length;
  const read = await Promise.all(listed.map(({ oid }) => source.readBlob(oid, 10_000)));
  assert.ok(read.every(({ length }) => length === 6_000));
  assert.equal(packs(remote.server).filter(({ bytes }) => bytes > 5_000).length, before + 1);
});

withRemote("a second process cannot open the mirror, and a dead one's lock is taken over", async (remote) => {
  remote.repository.commit({ "units/a.service": "a" });
  const source = await remote.open();
  await assert.rejects(remote.open(), { code: "mirror-busy" });
  await source.close();
  writeFileSync(join(remote.folder, "lock"), `${process.pid} 1\n`);
  const again = await remote.open();
  await again.fetch();
});

withRemote("fifty packs make the mirror start afresh", async (remote) => {
  remote.repository.commit({ "units/a.service": "0" });
  const source = await remote.open();
  await source.fetch();
  const folder = () => readdirSync(join(remote.folder, "repo.git", "objects", "pack"));
  const [pack] = folder().filter((name) => name.endsWith(".pack"));
  for (let at = 0; at < 50; at++) {
    for (const end of ["pack", "idx"]) {
      const from = join(
        remote.folder,
        "repo.git",
        "objects",
        "pack",
        pack!.replace("pack", end).replace(/^idx/, "pack"),
      );
      fs.copyFileSync(
        from.replace(/\.\w+$/, `.${end}`),
        join(from, "..", `pack-${String(at).padStart(40, "0")}.${end}`),
      );
    }
  }
  const tip = remote.repository.commit({ "units/a.service": "1" }) as CommitId;
  assert.equal(await source.fetch(), tip);
  assert.equal(folder().filter((name) => name.endsWith(".pack")).length, 1);
  assert.equal((await source.listFiles(tip, ["units"])).length, 1);
});

function withRepository(sentence: string, run: (repository: TestRepository) => Promise<void>): void {
  test(sentence, async () => {
    const repository = makeTestRepository();
    try {
      await run(repository);
    } finally {
      repository.remove();
    }
  });
}

withRepository(
  "row 81: names that are no plain file names are refused with their path, before content is read",
  async (repository) => {
    const blob = repository.git(["hash-object", "-w", "--stdin"], "x");
    const table: readonly [string, Buffer | string][] = [
      ["parent folder", ".."],
      ["own folder", "."],
      ["git's folder", ".git"],
      ["git's folder in capitals", ".GIT"],
      ["a slash", "a/b"],
      ["a newline", "a\nb.service"],
      ["an escape sequence", "a\x1b[31m.service"],
      ["a right-to-left override", "a\u202eecivres.service"],
      ["not UTF-8", Buffer.from([0x61, 0xff, 0x2e])],
      ["too long", "n".repeat(256)],
      ["empty", ""],
    ];
    const source = openLocalGitSource(repository.path);
    for (const [what, name] of table) {
      const entry = Buffer.concat([
        Buffer.from("100644 "),
        Buffer.from(name),
        Buffer.from([0]),
        Buffer.from(blob, "hex"),
      ]);
      const units = repository.git(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], entry);
      const root = repository.git(["mktree"], `040000 tree ${units}\tunits\n`);
      const commit = repository.git(["commit-tree", root, "-m", "hostile"]) as CommitId;
      await assert.rejects(source.listFiles(commit, ["units"]), (error: Error & { code?: string }) => {
        assert.equal(error.code, "tree-name-refused", what);
        assert.match(error.message, /units/, what);
        assert.doesNotMatch(error.message, /[\x00-\x1f\u202e]/, `${what}: the message must be harmless to a terminal`);
        return true;
      });
    }
    await source.close();
  },
);

withRepository(
  "row 82: symlinks and submodules are told apart from files, and executable files are files",
  async (repository) => {
    const inner = repository.commit({
      "units/link.service": { symlink: "/etc/shadow" },
      "units/run.sh": "#!/bin/sh\n",
    });
    repository.git(["update-index", "--chmod=+x", "units/run.sh"]);
    repository.git(["update-index", "--add", "--cacheinfo", `160000,${inner},units/module`]);
    repository.git(["commit", "--quiet", "-m", "more"]);
    const source = openLocalGitSource(repository.path);
    const tip = await source.fetch();
    const kinds = Object.fromEntries((await source.listFiles(tip, ["units"])).map(({ path, kind }) => [path, kind]));
    assert.deepEqual(kinds, { "units/link.service": "symlink", "units/module": "submodule", "units/run.sh": "file" });
    await source.close();
  },
);

withRepository(
  "row 83: a huge file is refused by its size, loose, packed and as a delta, without inflating it",
  async (repository) => {
    // 200 MB of zeros are 200 kB in git: a bomb that is cheap to push.
    const size = 200 * 1024 * 1024;
    repository.git(["config", "core.bigFileThreshold", "1g"]);
    const commit = repository.commit({ "units/bomb": Buffer.alloc(size) }) as CommitId;
    for (const form of ["loose", "packed"]) {
      if (form === "packed") repository.git(["gc", "--quiet", "--prune=now"]);
      const source = openLocalGitSource(repository.path);
      const [file] = await source.listFiles(commit, ["units"]);
      const before = process.memoryUsage().rss;
      await assert.rejects(source.readBlob(file!.oid, 1024 * 1024), { code: "blob-too-large" }, form);
      assert.ok(process.memoryUsage().rss - before < size / 2, `${form}: memory grew by the bomb's size`);
      await source.close();
    }
  },
);

withRepository("what git and isomorphic-git read from loose and packed objects is what we read", async (repository) => {
  for (let at = 0; at < 12; at++) {
    const files: Record<string, Buffer> = {};
    for (let unit = 0; unit < 20; unit++) {
      const text = noise(400, unit)
        .toString("hex")
        .repeat(1 + (unit % 5));
      files[`units/${unit}.service`] = Buffer.from(`${text}\n# version ${at % (unit + 1)}\n`);
    }
    repository.commit({ ...files, "units/empty": Buffer.alloc(0) });
  }
  for (const form of ["loose", "packed"]) {
    if (form === "packed") repository.git(["gc", "--quiet", "--aggressive", "--prune=now"]);
    const source = openLocalGitSource(repository.path);
    const cache = {};
    for (const commit of repository.git(["rev-list", "HEAD"]).split("\n") as CommitId[]) {
      const listed = repository.git(["ls-tree", "-r", commit]).split("\n");
      const files = await source.listFiles(commit, [""]);
      assert.deepEqual(
        files.map(({ path, oid }) => `100644 blob ${oid}\t${path}`),
        listed.toSorted((a, b) => ((a.split("\t")[1] ?? "") < (b.split("\t")[1] ?? "") ? -1 : 1)),
      );
      for (const { oid } of files) {
        const { blob } = await git.readBlob({ fs, gitdir: join(repository.path, ".git"), oid, cache });
        assert.deepEqual(Buffer.from(await source.readBlob(oid, 1_000_000)), Buffer.from(blob));
      }
    }
    await source.close();
  }
});

withRepository("objects that arrive while the source is open are found", async (repository) => {
  repository.commit({ "units/a.service": "a" });
  const source = openLocalGitSource(repository.path);
  await source.fetch();
  const next = repository.commit({ "units/b.service": "b" });
  repository.git(["gc", "--quiet", "--prune=now"]);
  assert.equal(await source.fetch(), next);
  assert.equal((await source.listFiles(next as CommitId, ["units"])).length, 2);
  await source.close();
});

withRepository("a shallow clone read in place answers `unknown` where its history ends", async (repository) => {
  const root = repository.commit({}, "root") as CommitId;
  repository.commit({}, "second");
  const third = repository.commit({}, "third") as CommitId;
  const clone = mkdtempSync(join(tmpdir(), "fleet-clone-"));
  execFileSync("git", ["clone", "--quiet", "--depth=1", `file://${repository.path}`, clone]);
  const source = openLocalGitSource(clone);
  assert.equal(await source.fetch(), third);
  assert.equal(await source.isAncestor(root, third), "unknown");
  await source.close();
  rmSync(clone, { recursive: true });
});

withRepository("a linked worktree is read with its own HEAD and the shared objects", async (repository) => {
  const first = repository.commit({ "units/a.service": "a" });
  repository.commit({ "units/a.service": "b" });
  const linked = `${repository.path}-linked`;
  repository.git(["worktree", "add", "--quiet", "--detach", linked, first]);
  const source = openLocalGitSource(join(linked, "units"));
  assert.equal(await source.resolve("HEAD"), first);
  assert.equal(source.worktree, linked);
  assert.equal(await source.isDirty([""]), false);
  writeFileSync(join(linked, "units", "a.service"), "changed");
  assert.equal(await source.isDirty(["units"]), true);
  assert.equal(await source.isDirty(["fleet.yaml"]), false);
  await source.close();
  rmSync(linked, { recursive: true });
});

withRepository("the working tree is read as it is now, in the shape of a commit", async (repository) => {
  const commit = repository.commit({ "units/a.service": "a", "units/b.service": "b" }) as CommitId;
  const source = openLocalGitSource(repository.path);
  writeFileSync(join(repository.path, "units", "a.service"), "edited");
  writeFileSync(join(repository.path, "units", "new.service"), "new");
  const committed = await source.listFiles(commit, ["units"]);
  const now = await source.worktreeFiles(["units"]);
  assert.deepEqual(
    now.map(({ path }) => path),
    ["units/a.service", "units/b.service", "units/new.service"],
  );
  assert.equal(now[1]?.oid, committed[1]?.oid, "an unchanged file has the id git gave it");
  const worktree = source.openWorktree();
  const [edited] = await worktree.listFiles(commit, ["units/a.service"]);
  assert.equal(Buffer.from(await worktree.readBlob(edited!.oid, 100)).toString(), "edited");
  writeFileSync(join(repository.path, "units", "a.service"), "edited again");
  await assert.rejects(worktree.readBlob(edited!.oid, 100), { code: "worktree-changed" });
  await source.close();
});

test("addresses are opened by what they are, and what cannot be read is refused with the next step", async () => {
  const repository = makeTestRepository();
  const commit = repository.commit({ "units/a.service": "a" });
  const options = { branch: "main", mirrorFolder: join(repository.path, "unused") };
  for (const url of [repository.path, `file://${repository.path}`, join(repository.path, ".git")]) {
    const source = await openGitSource(url, options);
    assert.equal(await source.fetch(), commit);
    await source.close();
  }
  const bad: readonly [string, string][] = [
    ["git://example.org/x.git", "source-scheme-unsupported"],
    ["ftp://example.org/x.git", "source-scheme-unsupported"],
    ["https://example.org/x.git,/srv/x.git", "source-scheme-unsupported"],
    ["ssh://-oProxyCommand=id/x.git", "source-address-refused"],
    ["-oProxyCommand=id:x.git", "source-address-refused"],
    ["git@example.org:-x", "source-address-refused"],
    ["git@exa$(id)mple.org:x", "source-address-refused"],
  ];
  for (const [url, code] of bad) await assert.rejects(openGitSource(url, options), { code }, url);
  const nowhere = mkdtempSync(join(tmpdir(), "fleet-none-"));
  await assert.rejects(openGitSource(nowhere, options), { code: "not-a-repository" });
  rmSync(nowhere, { recursive: true });
  repository.remove();
});
