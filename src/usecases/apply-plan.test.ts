import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { CommitId, MachineId } from "../domain/names.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { OperationError, UnknownResultError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { type Applied, type ApplyInput, applyPlan } from "./apply-plan.ts";
import { commitCompiler } from "./compile-commit.ts";
import { planCommit } from "./plan-commit.ts";
import { readPlan } from "./read-plan.ts";
import { readSnapshot } from "./read-snapshot.ts";
import { readSpecIndex } from "./read-spec-index.ts";

const MANIFEST = "apiVersion: fleet/v1\ncluster: prod\n";
const keys = registryKeys("prod");
const MACHINE = "1".repeat(32) as MachineId;

const unitFile = (text: string) => `[Service]\nExecStart=/bin/echo ${text}\n`;
const files = (units: number, text = "one", manifest = MANIFEST) => ({
  "fleet.yaml": manifest,
  ...Object.fromEntries(Array.from({ length: units }, (_, at) => [`units/u${at}.service`, unitFile(text)])),
});

function newWorld() {
  const clock = new VirtualClock();
  const registry = new MvccRegistry(new MvccStore(), clock);
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  let ids = 0;
  return { clock, registry, repository, source, newId: () => `id${++ids}` };
}
type World = ReturnType<typeof newWorld>;

async function planOf(world: World, commit: CommitId, registry: Registry = world.registry) {
  const planned = await planCommit({
    commit,
    compile: commitCompiler({ source: world.source, manifestPath: "fleet.yaml", sha256 }),
    cluster: { registry, keysOf: registryKeys },
    partial: null,
    sha256,
  });
  if (planned.kind !== "planned") throw new Error(JSON.stringify(planned.diagnostics));
  return planned;
}

async function apply(
  world: World,
  { plan, spec }: Pick<ApplyInput, "plan" | "spec">,
  changes: Partial<ApplyInput> = {},
): Promise<Applied> {
  const { registry, source, clock, newId } = world;
  const trust = trustOf(source);
  const place = { sourceName: "https://git.example/r", branch: "main", manifest: "fleet.yaml", trust };
  return applyPlan({ registry, keys, source, ...place, plan, spec, by: "ann", clock, newId, sha256, ...changes });
}

/** Pushes, plans and applies. */
async function release(world: World, content: Record<string, string>): Promise<Applied> {
  const commit = world.repository.push("main", content, `${world.newId()}`);
  return apply(world, await planOf(world, commit));
}

const join = (world: World, machine: MachineId = MACHINE) =>
  world.registry.txn({
    when: [],
    then: [
      {
        kind: "put",
        key: keys.member(machine),
        value: encodeRecord({
          name: `m${machine[0]}`,
          address: "",
          metadata: {},
          bootId: "",
          version: "",
          joined: "",
          acceptedSeq: 0,
        }),
      },
      { kind: "put", key: keys.presence(machine), value: encodeRecord({ bootId: "", op: "" }) },
    ],
  });

const releaseIn = async ({ registry }: World) => (await readSnapshot(registry, keys)).snapshot.release;
const history = async ({ registry }: World) =>
  (await registry.list(`${keys.root}releases/`)).entries.map(({ value }) => JSON.parse(value));

/**
 * A registry whose call number `at` (reads count too) goes wrong: it is not sent, or sent and its reply lost. A client that
 * died says nothing more.
 */
function faulty(inner: Registry, at: number, fault: { sent: boolean; dies: boolean }) {
  let calls = 0;
  const call = async <T>(run: () => Promise<T>): Promise<T> => {
    const now = calls++;
    if (now < at || (now > at && !fault.dies)) return run();
    if (now > at) throw new OperationError("registry-unreachable", "the client is dead");
    if (!fault.sent) throw new OperationError("registry-unreachable", "nothing was sent");
    await run();
    throw new UnknownResultError("reply-lost", "the reply was lost");
  };
  const registry = {
    txn: (txn) => call(() => inner.txn(txn)),
    list: (prefix, options) => call(() => inner.list(prefix, options)),
  } as Registry;
  return { registry, wasHit: () => calls > at };
}

for (const sent of [true, false]) {
  for (const dies of [true, false]) {
    for (const first of [true, false]) {
      const what = `${dies ? "a client that dies" : "a lost reply"} ${sent ? "after" : "before"} any one call took effect`;
      test(`${what} of ${first ? "the first" : "a later"} apply leaves all or nothing, and the same plan again finishes it`, async () => {
        for (let at = 0; ; at++) {
          const world = newWorld();
          await join(world);
          if (!first) await release(world, files(3));
          const before = await releaseIn(world);
          const planned = await planOf(world, world.repository.push("main", files(250, "two"), "next"));
          const { registry, wasHit } = faulty(world.registry, at, { sent, dies });
          const outcome = await apply(world, planned, { registry }).catch((error: unknown) => {
            assert.ok(error instanceof OperationError);
            return null;
          });
          const now = await releaseIn(world);
          const isReleased = now?.commit === planned.plan.commit;
          if (!isReleased) {
            assert.deepEqual(now, before);
            assert.equal((await readSnapshot(world.registry, keys)).snapshot.identity === null, first);
          }
          if (outcome !== null) assert.equal(outcome.kind === "released", isReleased);
          const again = await apply(world, planned);
          assert.equal(again.kind, isReleased ? "already" : "released", `after a fault at call ${at}`);
          assert.deepEqual((await history(world)).map(({ seq, commit }) => [seq, commit]).at(-1), [
            first ? 1 : 2,
            planned.plan.commit,
          ]);
          assert.equal((await readSpecIndex(world.registry, keys, planned.plan.specHash)).length, 250);
          if (!wasHit()) break;
        }
      });
    }
  }
}

test("each release names the content of the one before, and keeps its plan and its index", async () => {
  const world = newWorld();
  await join(world);
  const applied = [];
  for (const text of ["a", "b", "c"]) applied.push(await release(world, files(150, text)));
  const releases = await history(world);
  assert.deepEqual(
    releases.map(({ seq, parent }) => [seq, parent]),
    [
      [1, null],
      [2, releases[0].contentId],
      [3, releases[1].contentId],
    ],
  );
  for (const one of applied) {
    assert.equal(one.kind, "released");
    const plan = await readPlan(world.registry, keys, one.release!.planId);
    assert.equal(plan?.placements.length, 150);
    const index = await readSpecIndex(world.registry, keys, one.release!.specHash);
    assert.equal(new Set(index.map(({ name }) => name)).size, 150);
  }
});

test("row 88: what was applied already is said and changes nothing, also after a newer release", async () => {
  const world = newWorld();
  await join(world);
  const first = await planOf(world, world.repository.push("main", files(2)));
  await apply(world, first);
  const second = await planOf(world, world.repository.push("main", files(2, "two")));
  await apply(world, second);
  const before = (await world.registry.list("")).entries;
  for (const [planned, seq] of [
    [first, 1],
    [second, 2],
  ] as const) {
    const again = await apply(world, planned);
    assert.ok(again.kind === "already");
    assert.deepEqual([again.release.seq, again.inForce.seq], [seq, 2]);
  }
  assert.deepEqual((await world.registry.list("")).entries, before);
});

test("a plan of a branch is already applied where its squash was, and another commit without changes is released", async () => {
  const world = newWorld();
  await join(world);
  await release(world, files(1));
  const tip = world.repository.branches.get("main")!;
  const branch = world.repository.commit(files(2), { parents: [tip], subject: "on a branch" });
  const reviewed = await planOf(world, branch);
  const squash = await planOf(world, world.repository.push("main", files(2), "squashed"));
  assert.equal(squash.plan.contentId, reviewed.plan.contentId);
  assert.equal((await apply(world, squash)).kind, "released");
  assert.equal((await apply(world, reviewed)).kind, "already");
  for (const text of ["readme", "other readme"]) {
    const applied = await release(world, { ...files(2), "README.md": text });
    assert.equal(applied.kind, "released", "history follows the branch although nothing changes");
  }
});

test("row 88: a plan whose basis has moved is stale and changes nothing", async () => {
  const moves: readonly [string, (world: World) => Promise<unknown>][] = [
    ["another release", (world) => release(world, files(1, "other"))],
    ["a machine joined", (world) => join(world, "2".repeat(32) as MachineId)],
    [
      "a machine went away",
      (world) => world.registry.txn({ when: [], then: [{ kind: "delete", key: keys.presence(MACHINE) }] }),
    ],
    [
      "the registry was wiped",
      (world) => world.registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: "/fleet/" }] }),
    ],
  ];
  for (const [what, move] of moves) {
    const world = newWorld();
    await join(world);
    await release(world, files(1));
    const tip = world.repository.branches.get("main")!;
    const planned = await planOf(world, world.repository.commit(files(1, "mine"), { parents: [tip] }));
    await move(world);
    world.repository.setBranch("main", planned.plan.commit);
    const before = (await world.registry.list("")).entries;
    assert.equal((await apply(world, planned)).kind, "stale", what);
    assert.deepEqual((await world.registry.list("")).entries, before, what);
  }
});

for (const first of [true, false]) {
  test(`row 88: of two applies at once exactly one wins, on ${first ? "an empty registry" : "one with a release"}`, async () => {
    const world = newWorld();
    await join(world);
    if (!first) await release(world, files(1));
    const one = await planOf(world, world.repository.push("main", files(120, "one")));
    const two = await planOf(world, world.repository.push("main", files(120, "two")));
    const [a, b] = await Promise.all([apply(world, one), apply(world, two)]);
    assert.deepEqual([a.kind, b.kind].sort(), ["released", "stale"]);
    const winner = a.kind === "released" ? one : two;
    const inForce = await releaseIn(world);
    assert.equal(inForce?.commit, winner.plan.commit);
    assert.equal((await history(world)).length, first ? 1 : 2);
    assert.equal((await readSpecIndex(world.registry, keys, inForce!.specHash)).length, 120);
  });
}

async function refusal(run: Promise<unknown>): Promise<string> {
  return run.then(
    () => "nothing",
    (error: unknown) => (error instanceof OperationError ? error.code : String(error)),
  );
}

test("a commit that was not pushed to the branch is refused, and so is one whose history is too far back to tell", async () => {
  const world = newWorld();
  world.repository.push("main", files(1));
  const local = await planOf(world, world.repository.commit(files(1, "local")));
  assert.equal(await refusal(apply(world, local)), "not-on-branch");
  world.source.shallow = true;
  assert.equal(await refusal(apply(world, local)), "not-on-branch");
  assert.deepEqual((await world.registry.list("")).entries, []);
});

test("a branch that was rewritten behind the release is refused: every node would refuse it too", async () => {
  const world = newWorld();
  await release(world, files(1));
  const before = (await world.registry.list("")).revision;
  const rewritten = world.repository.commit(files(2, "rewritten"));
  world.repository.setBranch("main", rewritten);
  assert.equal(await refusal(apply(world, await planOf(world, rewritten))), "not-a-descendant");
  assert.equal((await world.registry.list("")).revision, before, "nothing was written");
});

test("a manifest that changed its cluster's name adds no second cluster", async () => {
  const world = newWorld();
  await release(world, files(1));
  const renamed = files(1, "one", MANIFEST.replace("prod", "production"));
  const planned = await planOf(world, world.repository.push("main", renamed));
  const before = (await world.registry.list("")).entries;
  assert.equal(await refusal(apply(world, planned, { keys: registryKeys("production") })), "cluster-renamed");
  assert.deepEqual((await world.registry.list("")).entries, before);
});

test("another manifest of the same repository does not take over the cluster's name", async () => {
  const world = newWorld();
  await release(world, files(1));
  const planned = await planOf(world, world.repository.push("main", files(1, "two")));
  assert.equal(await refusal(apply(world, planned, { manifest: "other.yaml" })), "other-manifest");
});

test("a plan that was edited, or shows a part only, is refused whatever its ids say", async () => {
  const world = newWorld();
  await join(world);
  const { plan, spec } = await planOf(world, world.repository.push("main", files(1)));
  const elsewhere = plan.placements.map((one) => ({ ...one, machine: "2".repeat(32) as MachineId }));
  const cases: readonly [Plan, string][] = [
    [{ ...plan, placements: elsewhere }, "plan-altered"],
    [{ ...plan, base: { ...plan.base, releaseSeq: 7 } }, "plan-altered"],
    [{ ...plan, partial: "u0.service" }, "plan-partial"],
  ];
  for (const [edited, code] of cases) assert.equal(await refusal(apply(world, { plan: edited, spec })), code);
  assert.equal(await releaseIn(world), null);
});

for (const [key, value, code] of [
  [keys.release, "{", "record-damaged"],
  [keys.cluster, "{}", "record-damaged"],
  [keys.member(MACHINE), '{"v":2}', "newer-fleet"],
] as const) {
  test(`nothing is applied where ${key} is ${value}: ${code}`, async () => {
    const world = newWorld();
    await release(world, files(1));
    const planned = await planOf(world, world.repository.push("main", files(1, "two")));
    await world.registry.txn({ when: [], then: [{ kind: "put", key, value }] });
    const before = (await world.registry.list("")).entries;
    assert.equal(await refusal(apply(world, planned)), code);
    assert.deepEqual((await world.registry.list("")).entries, before);
  });
}

test("a release key somebody deleted does not begin the numbers anew", async () => {
  const world = newWorld();
  await release(world, files(1));
  await release(world, files(1, "two"));
  await world.registry.txn({ when: [], then: [{ kind: "delete", key: keys.release }] });
  const applied = await release(world, files(1, "three"));
  assert.ok(applied.kind === "released");
  assert.equal(applied.release.seq, 3);
});

test("the history keeps the last 400 releases", async () => {
  const world = newWorld();
  await release(world, files(1));
  const entry = (await world.registry.list(keys.release, { exact: true })).entries[0]!;
  await world.registry.txn({
    when: [],
    then: [{ kind: "put", key: keys.release, value: entry.value.replace('"seq":1', '"seq":400') }],
  });
  await release(world, files(1, "two"));
  assert.deepEqual(
    (await history(world)).map(({ seq }) => seq),
    [401],
  );
});
