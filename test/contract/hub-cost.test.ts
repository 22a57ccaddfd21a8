import assert from "node:assert/strict";
import { EventEmitter } from "node:events";
import { join } from "node:path";
import { test } from "node:test";
import { type ServerWritableStream, status, type UntypedServiceImplementation } from "@grpc/grpc-js";
import { ObjectDesk } from "../../src/adapters/front/object-desk.ts";
import { openHubGitSource } from "../../src/adapters/git/hub-git-source.ts";
import { openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import { ObjectClient } from "../../src/adapters/git/object-client.ts";
import {
  IDS_MAX,
  OBJECTS_METHODS,
  type ObjectsPart,
  type ObjectsRequest,
} from "../../src/adapters/objects-proto/objects-proto.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import type { CommitId, UnitName } from "../../src/domain/names.ts";
import { partCompiler } from "../../src/usecases/compile-part.ts";
import { sshSigner } from "../ssh-signer.ts";
import { trustOf } from "../trust-of.ts";
import { makeTestRepository, type TestRepository } from "./git-repository.ts";
import { openObjectHub, serviceOf } from "./object-hub.ts";

/** That many units in so many folders, put together by git's own fast-import: writing files and adding them takes minutes. */
function importUnits(repository: TestRepository, count: number, folders: number): CommitId {
  const author = "committer Ada Author <ada@example.org> 1700000000 +0000\n";
  const lines = [`commit refs/heads/main\n${author}data 5\nUnits\n`];
  const file = (path: string, text: string) =>
    lines.push(`M 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`);
  file("fleet.yaml", "apiVersion: fleet/v1\ncluster: test\n");
  for (let at = 0; at < count; at++) {
    const text = `[Unit]\nDescription=Number ${at}\n[Service]\nExecStart=/usr/bin/sleep ${at}\n`;
    file(`units/${at % folders}/u${at}.service`, text);
  }
  repository.git(["fast-import", "--quiet"], lines.join(""));
  return repository.git(["rev-parse", "main"]) as CommitId;
}

/** One file of the branch's tip, changed without a working tree. */
function changeUnit(repository: TestRepository, path: string, text: string): CommitId {
  const input = `commit refs/heads/main\ncommitter Ada Author <ada@example.org> 1700000001 +0000\ndata 6\nChange\nfrom refs/heads/main^0\nM 100644 inline ${path}\ndata ${Buffer.byteLength(text)}\n${text}\n`;
  repository.git(["fast-import", "--quiet"], input);
  return repository.git(["rev-parse", "main"]) as CommitId;
}

test("of 20,000 units a machine reads its own in a handful of questions, and a change of one in fewer", async () => {
  const repository = makeTestRepository();
  const first = importUnits(repository, 20_000, 100);
  const engine = openLocalGitSource(join(repository.path, ".git"), "main");
  const hub = await openObjectHub(serviceOf(engine));
  const source = await openHubGitSource({ target: hub.target, branch: "main", folder: join(hub.folder, "mirror") });
  const compile = partCompiler({ source, manifestPath: "fleet.yaml" });
  const mine = new Set(Array.from({ length: 200 }, (_, at) => `u${at * 100}.service` as UnitName));
  /** What an agent asks of its source for a release (acceptRelease, then its own units). */
  const take = async (commit: CommitId, accepted: CommitId | null) => {
    const [asked, cpu] = [source.asked, process.cpuUsage()];
    assert.equal(await source.isAncestor(commit, await source.fetch(commit)), "yes");
    if (accepted !== null) assert.equal(await source.isAncestor(accepted, commit), "yes");
    const { spec, diagnostics } = await compile(commit, mine);
    assert.ok(spec !== null, diagnostics[0]?.saw);
    const { user, system } = process.cpuUsage(cpu);
    return { asked: source.asked - asked, cpuMs: (user + system) / 1_000 };
  };
  try {
    const taken = await take(first, null);
    // Tip, commit with its root, units/, its hundred folders, the manifest, 200 units.
    assert.equal(taken.asked, 6);
    const second = changeUnit(repository, "units/0/u100.service", "[Service]\nExecStart=/usr/bin/sleep 1\n");
    const next = await take(second, first);
    // Tip, commit with the trees that changed, the unit.
    assert.equal(next.asked, 3);
    // Engine, machine and compilation in this one process; a commit by itself is a few milliseconds of them.
    assert.ok(taken.cpuMs < 5_000 && next.cpuMs < 2_000, `${taken.cpuMs} ms, then ${next.cpuMs} ms of CPU`);
    const files = await source.listFiles(second, ["units"]);
    const asked = source.asked;
    await source.prefetch?.(
      files.map(({ oid }) => oid),
      64 * 1024,
    );
    assert.equal(source.asked - asked, Math.ceil((20_000 - 200) / IDS_MAX), "all units, a thousand to a question");
  } finally {
    await source.close();
    hub.close();
    await engine.close();
    repository.remove();
  }
});

test("a change in a folder of 3,000 units is some hundred bytes, and not the folder", async () => {
  const repository = makeTestRepository();
  const first = importUnits(repository, 3_000, 1);
  const engine = openLocalGitSource(join(repository.path, ".git"), "main");
  const honest = serviceOf(engine) as { Objects(call: unknown): void } & UntypedServiceImplementation;
  let bytes = 0;
  const hub = await openObjectHub({
    ...honest,
    Objects(call: ServerWritableStream<ObjectsRequest, ObjectsPart>) {
      const write = call.write.bind(call);
      call.write = (part: ObjectsPart) => {
        bytes += OBJECTS_METHODS.Objects.responseSerialize(part).length;
        return write(part);
      };
      honest.Objects(call);
    },
  });
  const source = await openHubGitSource({ target: hub.target, branch: "main", folder: join(hub.folder, "mirror") });
  try {
    await source.fetch();
    await source.listFiles(first, ["units"]);
    assert.ok(bytes > 100_000, `${bytes} bytes for the names of 3,000 units`);
    bytes = 0;
    const second = changeUnit(repository, "units/0/u1500.service", "changed");
    await source.fetch();
    const changed = (await source.listFiles(second, ["units/0/u1500.service"]))[0]!;
    assert.equal(Buffer.from(await source.readBlob(changed.oid, 100)).toString(), "changed");
    assert.ok(bytes < 1_000, `${bytes} bytes`);
  } finally {
    await source.close();
    hub.close();
    await engine.close();
    repository.remove();
  }
});

test("large contents come in pieces, and as many answers as it takes to hold little at once", async () => {
  const repository = makeTestRepository();
  const files = Object.fromEntries(
    Array.from({ length: 12 }, (_, at) => [`big/${at}`, Buffer.alloc(1024 * 1024, `${at} and more `)]),
  );
  const commit = repository.commit({ ...files, "big/whole": Buffer.alloc(10 * 1024 * 1024, "x") }) as CommitId;
  const engine = openLocalGitSource(repository.path, "main");
  const hub = await openObjectHub(serviceOf(engine));
  const source = await openHubGitSource({ target: hub.target, branch: "main", folder: join(hub.folder, "mirror") });
  try {
    await source.fetch();
    const listed = await source.listFiles(commit, ["big"]);
    const asked = source.asked;
    await source.prefetch?.(
      listed.map(({ oid }) => oid),
      2 * 1024 * 1024,
    );
    assert.equal(source.asked - asked, 2, "12 MiB in answers of 8; what is too large is not sent");
    for (const { path, oid } of listed.filter((file) => file.path !== "big/whole")) {
      assert.ok(files[path]!.equals(await source.readBlob(oid, 2 * 1024 * 1024)), path);
    }
    const { oid } = listed.find((file) => file.path === "big/whole")!;
    await assert.rejects(source.readBlob(oid, 2 * 1024 * 1024), { code: "blob-too-large" });
    assert.equal(
      (await source.readBlob(oid, 16 * 1024 * 1024)).length,
      10 * 1024 * 1024,
      "one object is sent to its end",
    );
  } finally {
    await source.close();
    hub.close();
    await engine.close();
    repository.remove();
  }
});

test("a branch that moved by 3,000 commits is read on in as many questions as it has thousands", async () => {
  const repository = makeTestRepository();
  const commits = Array.from({ length: 3_000 }, (_, at) => {
    const from = at === 0 ? "" : "from refs/heads/main^0\n";
    return `commit refs/heads/main\ncommitter Ada Author <ada@example.org> ${1_700_000_000 + at} +0000\ndata 1\nx\n${at === 1 ? "" : from}M 100644 inline fleet.yaml\ndata 2\n${at % 10}\n\n`;
  });
  // The branch's first commit, and 2,999 on top of it.
  repository.git(["fast-import", "--quiet"], commits[0]!);
  const old = repository.git(["rev-parse", "main"]) as CommitId;
  const engine = openLocalGitSource(join(repository.path, ".git"), "main");
  const hub = await openObjectHub(serviceOf(engine));
  const source = await openHubGitSource({ target: hub.target, branch: "main", folder: join(hub.folder, "mirror") });
  try {
    await source.fetch();
    repository.git(
      ["fast-import", "--quiet"],
      commits.slice(1).join("").replace("data 1\nx\nM", "data 1\nx\nfrom refs/heads/main^0\nM"),
    );
    const asked = source.asked;
    const tip = await source.fetch();
    assert.equal(await source.isAncestor(old, tip), "yes");
    assert.ok(source.asked - asked <= 4, `${source.asked - asked} questions`);
    assert.equal(await source.isAncestor("ab".repeat(20) as CommitId, tip), "no");
  } finally {
    await source.close();
    hub.close();
    await engine.close();
    repository.remove();
  }
});

test("a question that is none is refused", async () => {
  const repository = makeTestRepository();
  repository.commit({ "fleet.yaml": "x" });
  const engine = openLocalGitSource(repository.path, "main");
  const hub = await openObjectHub(serviceOf(engine));
  const client = new ObjectClient(hub.target, { tipTimeoutMs: 5_000, answerTimeoutMs: 5_000 });
  const ask = (ids: string[], commitsMax = 0) =>
    client.objects({ ids, type: "any", maxBytes: 1_000, history: { commitsMax, have: [], roots: false } });
  try {
    const tooMany = Array.from({ length: IDS_MAX + 1 }, (_, at) => at.toString(16).padStart(40, "0"));
    for (const answer of [
      await ask([]),
      await ask(["abcd"]),
      await ask(tooMany),
      await ask(["ab".repeat(20)], 2_000),
    ]) {
      assert.match(answer.failure?.message ?? "", /not a question for objects/);
    }
    assert.deepEqual([...(await ask(["ab".repeat(20)])).missing], ["ab".repeat(20)]);
  } finally {
    client.close();
    hub.close();
    await engine.close();
    repository.remove();
  }
});

test("no more than four answers are under way to one machine, however many it asks for", async () => {
  const repository = makeTestRepository();
  const commit = repository.commit({ "fleet.yaml": "x" });
  const engine = openLocalGitSource(repository.path, "main");
  const { handlers } = new ObjectDesk({ source: engine, branch: "main", clock: systemClock, log: () => {} }).service(
    "m",
  );
  const ask = () =>
    new Promise<number>((resolve) => {
      const call = Object.assign(new EventEmitter(), {
        request: { ids: [Buffer.from(commit, "hex")], have: [], history: 0, roots: false, maxBytes: 1_000 },
        cancelled: false,
        write: () => true,
        end: () => resolve(0),
      });
      call.on("error", ({ code }) => resolve(code));
      handlers.Objects(call as never);
    });
  try {
    const codes = await Promise.all(Array.from({ length: 10 }, ask));
    assert.deepEqual(codes.sort(), [...Array(4).fill(0), ...Array(6).fill(status.RESOURCE_EXHAUSTED)]);
    assert.equal(await ask(), 0, "once they are over, others are answered");
  } finally {
    await engine.close();
    repository.remove();
  }
});

test("who signed forty commits is asked in a handful of questions, rules by path and all", async () => {
  const repository = makeTestRepository();
  const manifest = `apiVersion: fleet/v1\ncluster: big\ntrust: { signers: trust/signers, rules: [{ paths: [units/**] }] }\n`;
  repository.commit({
    "fleet.yaml": manifest,
    "trust/signers": `${sshSigner("ada").line}\n`,
    "units/0/a.service": "0",
  });
  const first = repository.git(["rev-parse", "main"]) as CommitId;
  let last = first;
  for (let at = 1; at <= 40; at++) last = changeUnit(repository, `units/${at % 5}/a.service`, `${at}`);
  const engine = openLocalGitSource(join(repository.path, ".git"), "main");
  const hub = await openObjectHub(serviceOf(engine));
  const source = await openHubGitSource({ target: hub.target, branch: "main", folder: join(hub.folder, "mirror") });
  try {
    assert.equal(await source.isAncestor(first, await source.fetch()), "yes");
    const { asked } = source;
    const verdict = await trustOf(source).judge(first, last);
    assert.equal(verdict.kind === "refused" ? verdict.reason.code : verdict.kind, "unsigned");
    assert.ok(source.asked - asked <= 10, `${source.asked - asked} questions`);
  } finally {
    await source.close();
    await hub.close();
    await engine.close();
    repository.remove();
  }
});
