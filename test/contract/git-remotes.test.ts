import assert from "node:assert/strict";
import { execFile, execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { openMirrorGitSource } from "../../src/adapters/git/mirror-git-source.ts";
import { MIRROR_LIMITS, type MirrorLimits } from "../../src/adapters/git/mirror-transport.ts";
import { FetchChild } from "../../src/adapters/git/remote/fetch-child.ts";
import type { RemoteAccess } from "../../src/adapters/git/remote/remote-access.ts";
import { ensureDeployKey } from "../../src/adapters/join/deploy-key.ts";
import { scanHostKeys } from "../../src/adapters/join/scan-host-keys.ts";
import { openFetchChild } from "../../src/cli/open-fetch-child.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { type GitHttpServer, serveGitRepository } from "./git-http-server.ts";
import { makeTestRepository, type TestRepository } from "./git-repository.ts";
import { noSsh, type SshServer, sshUser, startSshServer } from "./ssh-server.ts";

interface World {
  readonly repository: TestRepository;
  readonly server: GitHttpServer;
  readonly folder: string;
  open(
    url: string,
    options?: { limits?: Partial<MirrorLimits>; access?: RemoteAccess; fetcher?: FetchChild },
  ): ReturnType<typeof openMirrorGitSource>;
  /** A repository as the first one is now, at another address. */
  copy(): Promise<{ readonly repository: TestRepository; readonly server: GitHttpServer }>;
}

function withWorld(sentence: string, run: (world: World) => Promise<void>): void {
  test(sentence, async () => {
    const closing: (() => unknown)[] = [];
    const serve = async (repository: TestRepository) => {
      const server = await serveGitRepository(join(repository.path, ".git"));
      closing.push(
        () => server.close(),
        () => repository.remove(),
      );
      return { repository, server };
    };
    const first = await serve(makeTestRepository());
    const folder = mkdtempSync(join(tmpdir(), "fleet-remotes-"));
    closing.push(() => rmSync(folder, { recursive: true }));
    try {
      await run({
        ...first,
        folder,
        async open(url, { limits = {}, ...options } = {}) {
          const source = await openMirrorGitSource({
            ...{ url, branch: "main", folder: join(folder, "mirror"), limits: { ...MIRROR_LIMITS, ...limits } },
            ...options,
          });
          closing.unshift(() => source.close());
          return source;
        },
        copy: () => serve(makeTestRepository({ from: first.repository.path })),
      });
    } finally {
      for (const close of closing) await close();
    }
  });
}

const silent = () => undefined;

describe("several remotes", () => {
  withWorld("the next one is asked where the first does not answer", async ({ repository, server, copy, open }) => {
    const tip = repository.commit({ "units/a.service": "a" });
    const mirror = await copy();
    await server.close();
    const source = await open(`${server.url},${mirror.server.url}`);
    assert.equal(await source.fetch(), tip);
  });

  withWorld("row 87: a mirror that lags sets nothing back, also after a restart", async (world) => {
    const { repository, server, copy, open } = world;
    const old = repository.commit({ "units/a.service": "a" }) as CommitId;
    const lagging = await copy();
    repository.commit({ "units/a.service": "between" });
    const tip = repository.commit({ "units/a.service": "b" });
    const url = `${server.url},${lagging.server.url}`;
    const source = await open(url);
    assert.equal(await source.fetch(), tip);
    server.fault = { kind: "status", status: 500 };
    // With one commit of history nobody can tell a mirror that lags from one that went elsewhere: nothing moves.
    await assert.rejects(source.fetch(), { code: "source-unreachable" });
    assert.equal(await source.resolve("HEAD"), tip);
    server.fault = null;
    assert.equal(await source.isAncestor(old, tip as CommitId), "yes");
    server.fault = { kind: "status", status: 500 };
    assert.equal(await source.fetch(), tip);
    await source.close();
    const again = await open(url);
    assert.equal(await again.fetch(), tip);
  });

  withWorld(
    "a mirror that is ahead of the first moves the tip, and one that went elsewhere does not",
    async (world) => {
      const { repository, server, copy, open } = world;
      const tip = repository.commit({ "units/a.service": "a" }) as CommitId;
      const other = await copy();
      const source = await open(`${server.url},${other.server.url}`);
      await source.fetch();
      server.fault = { kind: "status", status: 500 };
      const ahead = other.repository.commit({ "units/a.service": "ahead" });
      assert.equal(await source.fetch(), ahead);
      server.fault = null;
      assert.equal(await source.fetch(), ahead, "the first one lags now, and is not followed back");
      const next = repository.commit({ "units/a.service": "elsewhere" });
      await assert.rejects(source.fetch(), { code: "source-diverged" });
      assert.equal(await source.resolve("HEAD"), ahead);
      assert.equal((await source.listFiles(tip, ["units"])).length, 1);
      assert.notEqual(next, ahead);
    },
  );

  withWorld("row 72, 73: the one that gave the tip may set it back, which is for trust to judge", async (world) => {
    const old = world.repository.commit({ "units/a.service": "a" });
    world.repository.commit({ "units/a.service": "b" });
    const source = await world.open(world.server.url);
    await source.fetch();
    world.repository.git(["update-ref", "refs/heads/main", old]);
    assert.equal(await source.fetch(), old);
  });
});

describe("limits of what is taken in", () => {
  const bombs: readonly [string, Partial<MirrorLimits>, string][] = [
    [
      "row 83: a file that is larger than any may be, compressed to nothing",
      { objectBytesMax: 1e6 },
      "object-too-large",
    ],
    ["row 83: objects that are too large together", { objectBytesMax: 1e9, inflatedBytesMax: 1e6 }, "pack-too-large"],
    ["row 83: more objects than allowed", { objectBytesMax: 1e9, objectsMax: 2 }, "too-many-objects"],
    ["folders in folders without end", { objectBytesMax: 1e9, pathDepthMax: 3 }, "path-too-deep"],
  ];
  for (const [sentence, limits, code] of bombs) {
    withWorld(`${sentence}: nothing is left of it`, async ({ repository, server, folder, open }) => {
      repository.commit({ "units/bomb": Buffer.alloc(4 * 1024 * 1024), "a/b/c/d/e": "deep" });
      const source = await open(server.url, { limits });
      await assert.rejects(source.fetch(), { code });
      assert.deepEqual(readdirSync(join(folder, "mirror")), ["lock"]);
    });
  }

  withWorld("row 81: a tree that git's fsck refuses is refused on the way in", async ({ repository, server, open }) => {
    const first = repository.commit({ "units/a.service": "a" });
    const source = await open(server.url);
    await source.fetch();
    const blob = repository.git(["hash-object", "-w", "--stdin"], "x");
    const id = Buffer.from(blob, "hex");
    const bad: readonly [string, Buffer, string][] = [
      ["a way out", Buffer.concat([Buffer.from("100644 ../x.service\0"), id]), "tree-name-refused"],
      ["git's own folder", Buffer.concat([Buffer.from("100644 .GIT\0"), id]), "tree-name-refused"],
      ["twins", Buffer.concat([1, 2].flatMap(() => [Buffer.from("100644 a\0"), id])), "source-answer-invalid"],
      ["no mode", Buffer.concat([Buffer.from("zzz a\0"), id]), "source-answer-invalid"],
    ];
    for (const [what, entries, code] of bad) {
      const tree = repository.git(["hash-object", "-w", "-t", "tree", "--literally", "--stdin"], entries);
      const commit = repository.git(["commit-tree", tree, "-p", first, "-m", "bad"]);
      repository.git(["update-ref", "refs/heads/main", commit]);
      await assert.rejects(source.fetch(), { code }, what);
      assert.equal(await source.resolve("HEAD"), first, what);
    }
  });
});

describe("a child that fetches", () => {
  withWorld("as nobody where that is possible, without disk, and with what it needs", async (world) => {
    const first = world.repository.commit({ "units/a.service": "a" }) as CommitId;
    const child = openFetchChild(world.server.url, silent)!;
    const source = await world.open(world.server.url, { fetcher: child });
    assert.equal(await source.fetch(), first);
    assert.equal((await source.listFiles(first, ["units"])).length, 1);
    const status = readFileSync(`/proc/${child.pid}/status`, "utf8");
    if (process.geteuid?.() === 0) assert.match(status, /^Uid:\t([1-9]\d*)\t\1\t\1\t\1$/m);
    if (process.geteuid?.() === 0) assert.match(status, /^CapEff:\t0+$/m);
    const limits = readFileSync(`/proc/${child.pid}/limits`, "utf8");
    assert.match(limits, /^Max file size +0 +0/m);
    assert.match(limits, /^Max data size +1073741824/m);
    const pid = child.pid;
    const second = world.repository.commit({ "units/b.service": "b" });
    assert.equal(await source.fetch(), second);
    assert.equal(child.pid, pid, "it lives on between fetches");
  });

  withWorld(
    "killed or frozen in the middle: the last commit stays, and the next fetch has another child",
    async (world) => {
      const first = world.repository.commit({ "units/a.service": "a" }) as CommitId;
      const child = openFetchChild(world.server.url, silent)!;
      const source = await world.open(world.server.url, { fetcher: child, limits: { pollTimeoutMs: 3_000 } });
      await source.fetch();
      for (const signal of ["SIGKILL", "SIGSTOP"] as const) {
        const pid = child.pid!;
        world.server.fault = { kind: "silent" };
        const fetching = assert.rejects(source.fetch(), {
          code: signal === "SIGKILL" ? "fetch-failed" : "source-timeout",
        });
        process.kill(pid, signal);
        await fetching;
        assert.equal((await source.listFiles(first, ["units"])).length, 1);
        world.server.fault = null;
        assert.equal(await source.fetch(), first);
        assert.notEqual(child.pid, pid);
      }
    },
  );

  withWorld("one that needs more memory than it may have dies alone", async ({ repository, server, folder, open }) => {
    repository.commit({ "units/big": Buffer.alloc(48 * 1024 * 1024) });
    const entry = join(import.meta.dirname, "../../src/cli/fetch-child.ts");
    const code = [join(import.meta.dirname, "../../src"), join(import.meta.dirname, "../../package.json")];
    const child = new FetchChild({ entry, code, ssh: false, memoryBytesMax: 110 * 1024 * 1024 });
    const source = await open(server.url, { fetcher: child });
    await assert.rejects(source.fetch(), { code: /^(fetch-failed|source-answer-invalid)$/ as unknown as string });
    assert.deepEqual(readdirSync(join(folder, "mirror")), ["lock"]);
  });
});

describe("what a poll costs", () => {
  withWorld(
    "a poll that finds nothing new is one request, where git ls-remote asks first what the server can do",
    async ({ repository, server, open }) => {
      repository.commit({ "units/a.service": "a" });
      const source = await open(server.url);
      await source.fetch();
      const before = server.answers.length;
      await source.fetch();
      const ours = server.answers.slice(before);
      await promisify(execFile)("git", ["ls-remote", server.url, "refs/heads/main"], {
        env: { ...process.env, GIT_CONFIG_GLOBAL: "/dev/null" },
      });
      const theirs = server.answers.slice(before + ours.length);
      const bytes = (answers: typeof ours) => answers.reduce((sum, each) => sum + each.bytes, 0);
      assert.deepEqual([ours.length, theirs.length], [1, 2]);
      assert.ok(bytes(ours) <= bytes(theirs), `${bytes(ours)} bytes against ${bytes(theirs)}`);
    },
  );
});

describe("credentials", () => {
  withWorld("come out of a file for that host alone, and stand nowhere else", async (world) => {
    const { repository, server, folder, open } = world;
    repository.commit({ "units/a.service": "a" });
    const file = join(folder, "credentials");
    const { host } = new URL(server.url);
    writeFileSync(file, `# ours\nhttps://robot:c4nary-https@${host}\nhttp://robot:c4nary%21@${host}\n`);
    const lines: string[] = [];
    const fetcher = openFetchChild(server.url, ({ message }) => lines.push(message))!;
    const source = await open(server.url, { access: { credentialsFile: file }, fetcher });
    await source.fetch();
    const sent = Buffer.from(String(server.lastHeaders.authorization).split(" ")[1] ?? "", "base64").toString();
    assert.equal(sent, "robot:c4nary!");
    assert.doesNotMatch(readFileSync(`/proc/${fetcher.pid}/cmdline`, "utf8"), /c4nary/);
    for (const status of [401, 302, 500]) {
      server.fault = { kind: "status", status };
      const error = await source.fetch().then(assert.fail, (reason: Error) => reason);
      lines.push(JSON.stringify(error, Object.getOwnPropertyNames(error)), String(error.cause));
    }
    assert.doesNotMatch(lines.join("\n"), /c4nary/);
    assert.throws(() => execFileSync("grep", ["-r", "c4nary", join(folder, "mirror")]));
    server.fault = null;
    writeFileSync(file, "https://robot:c4nary@elsewhere.example\n");
    await source.fetch();
    assert.equal(server.lastHeaders.authorization, undefined, "another host's are not sent");
    rmSync(file);
    await assert.rejects(source.fetch(), { code: "credentials-unreadable" });
  });
});

describe("over ssh", { skip: noSsh }, () => {
  let folder: string;
  const servers: SshServer[] = [];
  let publicLine = "";
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "fleet-deploy-"));
    publicLine = await ensureDeployKey([join(folder, "agent"), join(folder, "engine")], "fleet@pi");
    servers.push(await startSshServer(2, publicLine), await startSshServer(0, publicLine));
  });
  after(() => {
    for (const server of servers) server.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const addressOf = (server: SshServer, path: string) => `ssh://${sshUser}@127.0.0.1:${server.port}${path}`;
  const accessOf = ({ knownHostsFile }: SshServer): RemoteAccess => ({
    ssh: { kind: "pinned", keyFile: join(folder, "agent", "deploy-key"), knownHostsFile },
  });

  for (const [at, version] of [2, 0].entries()) {
    withWorld(
      `the deploy key of join fetches by protocol version ${version}, with history, in a child`,
      async (world) => {
        const server = servers[at]!;
        const commits = Array.from({ length: 3 }, (_, n) => world.repository.commit({ "units/a.service": `${n}` }));
        const url = addressOf(server, world.repository.path);
        const source = await world.open(url, { access: accessOf(server), fetcher: openFetchChild(url, silent)! });
        assert.equal(await source.fetch(), commits[2]);
        const next = world.repository.commit({ "units/b.service": "b" }) as CommitId;
        assert.equal(await source.fetch(), next);
        assert.equal(await source.isAncestor(commits[0] as CommitId, next), "yes");
        world.repository.git(["update-ref", "-d", "refs/heads/main"]);
        await assert.rejects(source.fetch(), { code: "branch-missing" });
      },
    );
  }

  withWorld("a host with another key, a key that is not let in, and a repository that is not there", async (world) => {
    const [server, other] = servers as [SshServer, SshServer];
    world.repository.commit({});
    const wrongHost = join(world.folder, "known_hosts");
    writeFileSync(wrongHost, readFileSync(other.knownHostsFile, "utf8").replace(`:${other.port} `, `:${server.port} `));
    const stranger = join(world.folder, "stranger");
    await ensureDeployKey([stranger], "stranger");
    const table: readonly [string, RemoteAccess, string][] = [
      [world.repository.path, accessOf({ ...server, knownHostsFile: wrongHost }), "source-host-key"],
      [world.repository.path, accessOf({ ...server, knownHostsFile: "/dev/null" }), "source-host-key"],
      [
        world.repository.path,
        { ssh: { kind: "pinned", keyFile: join(stranger, "deploy-key"), knownHostsFile: server.knownHostsFile } },
        "source-unauthorized",
      ],
      ["/nowhere/at/all.git", accessOf(server), "source-not-found"],
    ];
    for (const [path, access, code] of table) {
      const source = await world.open(addressOf(server, path), { access });
      await assert.rejects(source.fetch(), { code });
      await source.close();
    }
  });

  test("a host's keys are shown as ssh-keygen shows them, and the key of both folders is one", async () => {
    const [server] = servers as [SshServer];
    const keys = await scanHostKeys("127.0.0.1", server.port);
    assert.deepEqual(
      keys.map(({ fingerprint }) => fingerprint),
      [server.fingerprint],
    );
    const key = readFileSync(join(folder, "agent", "deploy-key"), "utf8");
    assert.equal(readFileSync(join(folder, "engine", "deploy-key"), "utf8"), key);
    const read = execFileSync("ssh-keygen", ["-y", "-f", join(folder, "agent", "deploy-key")], { encoding: "utf8" });
    assert.equal(read.trim(), publicLine);
    assert.ok(existsSync(join(folder, "agent", "deploy-key")));
    await assert.rejects(scanHostKeys("127.0.0.1", 1), { code: "source-unreachable" });
  });
});
