import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import type { ServerWritableStream, UntypedServiceImplementation } from "@grpc/grpc-js";
import { HUB_LIMITS, type HubGitSource, openHubGitSource } from "../../src/adapters/git/hub-git-source.ts";
import { openLocalGitSource } from "../../src/adapters/git/local-git-source.ts";
import { openMirrorGitSource } from "../../src/adapters/git/mirror-git-source.ts";
import {
  type ObjectPiece,
  type ObjectsPart,
  type ObjectsRequest,
  PIECE_KINDS,
} from "../../src/adapters/objects-proto/objects-proto.ts";
import type { CommitId } from "../../src/domain/names.ts";
import { serveGitRepository } from "./git-http-server.ts";
import { makeTestRepository, type TestRepository } from "./git-repository.ts";
import { type ObjectHub, openObjectHub, serviceOf } from "./object-hub.ts";

type ObjectsCall = ServerWritableStream<ObjectsRequest, ObjectsPart>;
type Honest = { Tip: unknown; Objects(call: ObjectsCall): void };

interface World {
  readonly repository: TestRepository;
  readonly hub: ObjectHub;
  readonly honest: UntypedServiceImplementation & Honest;
  /** What the source said of damage. */
  readonly log: string[];
  /** Where its objects are. */
  readonly objects: string;
  open(limits?: Partial<typeof HUB_LIMITS>): Promise<HubGitSource>;
}

function withHub(sentence: string, run: (world: World) => Promise<void>): void {
  test(sentence, async () => {
    const repository = makeTestRepository();
    const engine = openLocalGitSource(repository.path, "main");
    const honest = serviceOf(engine) as World["honest"];
    const hub = await openObjectHub(honest);
    const opened: HubGitSource[] = [];
    const folder = join(hub.folder, "mirror");
    const log: string[] = [];
    try {
      await run({
        repository,
        hub,
        honest,
        log,
        objects: join(folder, "repo.git", "objects"),
        async open(limits = {}) {
          for (const source of opened.splice(0)) await source.close();
          const source = await openHubGitSource({
            target: hub.target,
            branch: "main",
            folder,
            limits: { ...HUB_LIMITS, ...limits },
            log: ({ message }) => log.push(message),
          });
          opened.push(source);
          return source;
        },
      });
    } finally {
      for (const source of opened) await source.close();
      hub.close();
      await engine.close();
      repository.remove();
    }
  });
}

/** All of a commit, as a compilation would read it. */
async function readAll(source: HubGitSource, commit: CommitId): Promise<Record<string, string>> {
  const files = await source.listFiles(commit, [""]);
  await source.prefetch?.(
    files.map(({ oid }) => oid),
    64 * 1024,
  );
  const read: Record<string, string> = {};
  for (const { path, oid } of files) read[path] = Buffer.from(await source.readBlob(oid, 64 * 1024)).toString();
  return read;
}

const UNITS = { "fleet.yaml": "cluster: test\n", "units/a.service": "a\n", "units/b.service": "b\n" };

/** Answers as an honest engine would, but for what becomes of each part on the way. */
function twisted(honest: Honest, twist: (pieces: ObjectPiece[], call: ObjectsCall) => readonly ObjectPiece[] | null) {
  return {
    ...honest,
    Objects: (call: ObjectsCall) =>
      honest.Objects(
        new Proxy(call, {
          get(target, name) {
            const member = Reflect.get(target, name);
            if (name !== "write") return typeof member === "function" ? member.bind(target) : member;
            return ({ pieces }: ObjectsPart) => {
              const others = twist([...pieces], call);
              return others === null || target.write({ pieces: others });
            };
          },
        }),
      ),
  } as UntypedServiceImplementation;
}

const flipped = (piece: ObjectPiece): ObjectPiece => {
  const content = Buffer.from(piece.content);
  if (content.length > 0) content[content.length - 1]! ^= 1;
  return { ...piece, content };
};

function endless(call: ObjectsCall, part: ObjectsPart): null {
  const more = () => {
    if (call.cancelled) return;
    call.write(part);
    setImmediate(more);
  };
  more();
  return null;
}

/** What a lie comes to where it is not refused as one. */
const BELIEVED: Readonly<Record<string, string>> = {
  "that what it has is missing": "object-missing",
  "the same absence without end": "object-missing",
};

const LIES: Readonly<Record<string, (pieces: ObjectPiece[], call: ObjectsCall) => readonly ObjectPiece[] | null>> = {
  "other bytes than the id's": (pieces) => pieces.map(flipped),
  "the right bytes as another type": (pieces) => pieces.map((piece) => ({ ...piece, kind: PIECE_KINDS.tag })),
  "a kind nobody knows": (pieces) => pieces.map((piece) => ({ ...piece, kind: 99 as never })),
  "objects nobody asked for": (pieces) => pieces.map((piece) => ({ ...piece, id: Buffer.alloc(20, 7) })),
  "an object that is larger than it may be": (pieces) => pieces.map((piece) => ({ ...piece, size: 0xffffffff })),
  "a piece that runs over its object": (pieces) => pieces.map((piece) => ({ ...piece, offset: 1 })),
  "pieces of two objects mixed": (pieces) => pieces.map((piece) => ({ ...piece, size: piece.size + 1 })),
  "pieces without content": (pieces) => pieces.map((piece) => ({ ...piece, content: Buffer.alloc(0) })),
  "nothing at all": () => [],
  "nothing, in parts without end": (_pieces, call) => {
    return endless(call, { pieces: [] });
  },
  "the same absence without end": ([piece], call) => {
    return endless(call, { pieces: [{ ...piece!, kind: PIECE_KINDS.missing }] });
  },
  "that what it has is missing": (pieces) => pieces.map((piece) => ({ ...piece, kind: PIECE_KINDS.missing })),
};

for (const [lie, twist] of Object.entries(LIES)) {
  withHub(`an engine that sends ${lie} is refused in bounded time, and an honest one mends all`, async (world) => {
    const commit = world.repository.commit(UNITS) as CommitId;
    const source = await world.open({ answerTimeoutMs: 400 });
    await world.hub.serve(twisted(world.honest, twist));
    const codes = BELIEVED[lie] === undefined ? ["source-answer-invalid", "source-timeout"] : [BELIEVED[lie]];
    await assert.rejects(source.fetch(), ({ code }: { code: string }) => codes.includes(code));
    assert.equal(source.lastTip(), null);
    await world.hub.serve(world.honest);
    assert.equal(await source.fetch(), commit);
    assert.deepEqual(await readAll(source, commit), UNITS);
    execFileSync("git", ["fsck", "--strict"], { cwd: join(world.objects, ".."), stdio: "pipe" });
  });
}

const SPLICE_LIES: Readonly<Record<string, (piece: ObjectPiece) => ObjectPiece>> = {
  "with other bytes": flipped,
  "of another size": (piece) => ({ ...piece, size: piece.size + 1 }),
  "that begin past their base": (piece) => ({ ...piece, offset: 1_000, size: 2_000 }),
  "of a tree that is not here": (piece) => ({ ...piece, base: Buffer.alloc(20, 9) }),
  "of no tree at all": (piece) => ({ ...piece, base: Buffer.alloc(0) }),
  "for trees that nobody names": (piece) => ({ ...piece, id: Buffer.alloc(20, 9) }),
};

withHub(
  "changed trees that come along as splices are read as they are, and lies about them come to nothing",
  async (world) => {
    let commit = world.repository.commit({ ...UNITS, "deep/er/c": "c" }) as CommitId;
    const source = await world.open();
    await source.fetch();
    await readAll(source, commit);
    let spliced = 0;
    for (const [lie, twist] of [["honestly", (piece: ObjectPiece) => piece] as const, ...Object.entries(SPLICE_LIES)]) {
      commit = world.repository.commit({ "deep/er/c": lie }) as CommitId;
      const twistAll = (pieces: ObjectPiece[]) =>
        pieces.map((piece) => {
          if (piece.kind !== PIECE_KINDS.splice) return piece;
          spliced++;
          return twist(piece);
        });
      await world.hub.serve(twisted(world.honest, twistAll));
      assert.equal(await source.fetch(), commit, lie);
      assert.deepEqual(await readAll(source, commit), { ...UNITS, "deep/er/c": lie }, lie);
    }
    assert.equal(spliced, 3 * (1 + Object.keys(SPLICE_LIES).length), "the root and two folders each time");
    execFileSync("git", ["fsck", "--strict"], { cwd: join(world.objects, ".."), stdio: "pipe" });
  },
);

withHub("engines that follow another branch than this machine are refused, by both names", async (world) => {
  world.repository.commit(UNITS);
  const engine = openLocalGitSource(world.repository.path, "main");
  const source = await world.open();
  await world.hub.serve(serviceOf(engine, "trunk"));
  await assert.rejects(source.fetch(), { code: "branch-missing", message: /trunk, not main/ });
  await engine.close();
});

withHub(
  "a commit with a name that nobody may read comes as others do, and is refused where it is listed",
  async (world) => {
    const first = world.repository.commit(UNITS) as CommitId;
    const source = await world.open();
    await source.fetch();
    await readAll(source, first);
    world.repository.commit({ "units/a\x07.service": "a", "units/deep/b": "b" });
    const tip = await source.fetch();
    await assert.rejects(source.listFiles(tip, ["units"]), { code: "tree-name-refused" });
    assert.equal((await source.listFiles(tip, ["fleet.yaml"])).length, 1);
  },
);

withHub("wrong bytes once are asked for again, and nobody notices but the engine's operator", async (world) => {
  const commit = world.repository.commit(UNITS) as CommitId;
  const source = await world.open();
  await source.fetch();
  let lies = 1;
  await world.hub.serve(twisted(world.honest, (pieces) => (lies-- > 0 ? pieces.map(flipped) : pieces)));
  assert.deepEqual(await readAll(source, commit), UNITS);
});

withHub(
  "an engine that hands out a blob's bytes as a tree, or none of them, is named with the object",
  async (world) => {
    const commit = world.repository.commit(UNITS) as CommitId;
    const source = await world.open();
    await source.fetch();
    const [file] = (await source.listFiles(commit, ["units"])).slice(-1);
    await world.hub.serve(twisted(world.honest, (pieces) => pieces.map(flipped)));
    await assert.rejects(source.readBlob(file!.oid, 100), new RegExp(file!.oid));
    assert.deepEqual(
      readdirSync(world.objects).filter((name) => name === file!.oid.slice(0, 2)),
      [],
      "what does not hash to its id is never kept",
    );
  },
);

for (const [kind, twist] of Object.entries({
  silent: () => null,
  // One piece a second would be kept alive for ever by a limit on silence alone.
  dripping: (pieces: ObjectPiece[], call: ObjectsCall) => {
    const bytes = pieces[0]!.content;
    let offset = 0;
    const drip = setInterval(() => {
      if (call.cancelled || offset >= bytes.length) return clearInterval(drip);
      call.write({ pieces: [{ ...pieces[0]!, offset, content: bytes.subarray(offset, ++offset) }] });
    }, 20);
    return null;
  },
})) {
  withHub(`an engine that is ${kind} is given up on at the deadline`, async (world) => {
    world.repository.commit(UNITS);
    const source = await world.open({ answerTimeoutMs: 300, tipTimeoutMs: 300 });
    const stuck = twisted(world.honest, twist);
    // Its end would be one, too: these never come to it.
    const Objects = (call: ObjectsCall) => {
      const held = new Proxy(call, {
        get: (target, name) => {
          const member = Reflect.get(target, name);
          if (name === "end") return () => call;
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
      (stuck as unknown as Honest).Objects(held);
    };
    await world.hub.serve({ ...stuck, Objects } as UntypedServiceImplementation);
    await assert.rejects(source.fetch(), { code: "source-timeout" });
    await world.hub.serve({ ...world.honest, Tip: () => {} } as UntypedServiceImplementation);
    await assert.rejects(source.fetch(), { code: "source-timeout" });
  });
}

withHub("with every engine gone, what was read is read, also after a restart; fetch says so", async (world) => {
  const first = world.repository.commit(UNITS) as CommitId;
  const second = world.repository.commit({ "units/b.service": "b2\n" }) as CommitId;
  const before = await world.open();
  await before.fetch();
  await readAll(before, second);
  await before.isAncestor(first, second);
  world.hub.stop();
  const source = await world.open();
  assert.equal(await source.resolve("HEAD"), second);
  assert.deepEqual(await readAll(source, second), { ...UNITS, "units/b.service": "b2\n" });
  assert.equal(await source.isAncestor(first, second), "yes");
  assert.equal((await source.describeCommit(second)).author, "Ada Author");
  assert.equal(source.asked, 0);
  await assert.rejects(source.fetch(), { code: "source-unreachable" });
  await assert.rejects(source.listFiles("ab".repeat(20) as CommitId, ["units"]), { code: "source-unreachable" });
});

withHub("an engine that dies in the middle of an answer costs only what had not come yet", async (world) => {
  const files = Object.fromEntries(
    Array.from({ length: 60 }, (_, at) => [`units/u${at}.service`, `# ${"x".repeat(8_000)} ${at}\n`]),
  );
  const commit = world.repository.commit(files) as CommitId;
  const source = await world.open();
  await source.fetch();
  const listed = await source.listFiles(commit, ["units"]);
  const oids = listed.map(({ oid }) => oid);
  let parts = 0;
  const dying = (pieces: ObjectPiece[]) => {
    if (++parts < 4) return pieces;
    setImmediate(() => void world.hub.serve(counting));
    return null;
  };
  const asked: number[] = [];
  const counting = {
    ...world.honest,
    Objects(call: ObjectsCall) {
      asked.push(call.request.ids.length);
      world.honest.Objects(call);
    },
  } as UntypedServiceImplementation;
  await world.hub.serve(twisted(world.honest, dying));
  await source.prefetch?.(oids, 64 * 1024).catch(() => source.prefetch?.(oids, 64 * 1024));
  assert.deepEqual(await readAll(source, commit), files);
  assert.equal(asked.length, 1);
  assert.ok(asked[0]! < 60, `${asked[0]} of 60 asked for again, though some had come`);
});

withHub("what is damaged on the disk is named and asked for again; without engines it is missed", async (world) => {
  const commit = world.repository.commit(UNITS) as CommitId;
  const first = await world.open();
  await first.fetch();
  await readAll(first, commit);
  const [file] = await first.listFiles(commit, ["units/a.service"]);
  const path = join(world.objects, file!.oid.slice(0, 2), file!.oid.slice(2));
  for (const damage of [Buffer.alloc(0), Buffer.alloc(40, 1), readFileSync(path).subarray(0, 12)]) {
    writeFileSync(path, damage);
    const source = await world.open();
    assert.equal(Buffer.from(await source.readBlob(file!.oid, 100)).toString(), "a\n");
    assert.match(world.log.pop() ?? "", new RegExp(file!.oid));
  }
  writeFileSync(path, "");
  world.hub.stop();
  const source = await world.open();
  await assert.rejects(source.readBlob(file!.oid, 100), { code: "source-unreachable" });
  assert.match(world.log.pop() ?? "", new RegExp(file!.oid));
});

withHub("wherever writing was cut short, what is there is whole and the rest is asked for again", async (world) => {
  const files = Object.fromEntries(Array.from({ length: 40 }, (_, at) => [`units/u${at}.service`, `${at}\n`]));
  const commit = world.repository.commit(files) as CommitId;
  const whole = await world.open();
  await whole.fetch();
  await readAll(whole, commit);
  await whole.close();
  const pack = (ending: string) => readdirSync(join(world.objects, "pack")).find((name) => name.endsWith(ending))!;
  const saved = join(world.hub.folder, "saved");
  cpSync(world.objects, saved, { recursive: true });
  const cuts: Readonly<Record<string, () => void>> = {
    "before the pack's name": () => {
      writeFileSync(join(world.objects, "pack", "1.fleet-new"), "PACK");
      rmSync(join(world.objects, "pack", pack(".pack")));
      rmSync(join(world.objects, "pack", pack(".idx")));
    },
    "between pack and index": () => rmSync(join(world.objects, "pack", pack(".idx"))),
    "an index torn by the disk": () => writeFileSync(join(world.objects, "pack", pack(".idx")), "torn"),
    "a pack torn by the disk": () => {
      const path = join(world.objects, "pack", pack(".pack"));
      writeFileSync(path, readFileSync(path).subarray(0, statSync(path).size / 2));
    },
    "a loose object's draft": () => writeFileSync(join(world.objects, commit.slice(0, 2), "7.fleet-new"), "half"),
  };
  for (const [cut, make] of Object.entries(cuts)) {
    rmSync(world.objects, { recursive: true });
    cpSync(saved, world.objects, { recursive: true });
    make();
    const source = await world.open();
    assert.deepEqual(await readAll(source, commit), files, cut);
    await source.close();
    const drafts = readdirSync(world.objects, { recursive: true }).filter((name) =>
      String(name).endsWith(".fleet-new"),
    );
    assert.deepEqual(drafts, [], cut);
  }
});

withHub(
  "a mirror that becomes a hub's keeps what it has, though not what it took for the branch's tip",
  async (world) => {
    const first = world.repository.commit(UNITS) as CommitId;
    const commit = world.repository.commit({ "units/b.service": "b2" }) as CommitId;
    const server = await serveGitRepository(join(world.repository.path, ".git"));
    const mirror = await openMirrorGitSource({
      url: server.url,
      branch: "main",
      folder: join(world.objects, "..", ".."),
    });
    assert.equal(await mirror.fetch(), commit);
    await mirror.close();
    await server.close();
    world.hub.stop();
    const alone = await world.open();
    assert.equal(alone.lastTip(), null);
    assert.deepEqual(await readAll(alone, commit), { ...UNITS, "units/b.service": "b2" });
    await world.hub.serve(world.honest);
    const source = await world.open();
    assert.equal(await source.fetch(), commit);
    // The mirror was shallow; what is before it is asked for now.
    assert.equal(await source.isAncestor(first, commit), "yes");
  },
);

const notRoot = process.getuid?.() === 0 ? false : "only root can mount";

test("a full disk is called so, keeps what was there, and is no trouble any more once there is room", {
  skip: notRoot,
}, async () => {
  const repository = makeTestRepository();
  const engine = openLocalGitSource(repository.path, "main");
  const hub = await openObjectHub(serviceOf(engine));
  const folder = join(hub.folder, "mirror");
  mkdirSync(folder);
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "fleet-test", folder]);
  const noise = Array.from({ length: 60_000 }, (_, at) => Math.imul(at, 2_654_435_761).toString(36)).join("");
  try {
    const source = await openHubGitSource({ target: hub.target, branch: null, folder });
    const commit = repository.commit({ ...UNITS, "units/big": noise.slice(0, 60_000) }) as CommitId;
    await source.fetch();
    await readAll(source, commit);
    assert.throws(() => writeFileSync(join(folder, "ballast"), Buffer.alloc(1024 * 1024)), { code: "ENOSPC" });
    const next = repository.commit({
      "units/big": noise.slice(60_000, 120_000),
      "units/big2": "small",
    }) as CommitId;
    const more = source.fetch().then(() => readAll(source, next));
    await assert.rejects(more, { code: "disk-full" });
    assert.equal(Object.keys(await readAll(source, commit)).length, 4);
    rmSync(join(folder, "ballast"));
    assert.equal(Object.keys(await readAll(source, next)).length, 5);
    await source.close();
  } finally {
    execFileSync("umount", ["--lazy", folder]);
    hub.close();
    await engine.close();
    repository.remove();
  }
});
