import assert from "node:assert/strict";
import { test } from "node:test";
import { joinMachine, leaveMachine, pretendId } from "../../test/pretend-machine.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { UNSUPERVISED } from "../ports/supervisor.ts";
import { applyPlan } from "../usecases/apply-plan.ts";
import { commitCompiler } from "../usecases/compile-commit.ts";
import { planCommit } from "../usecases/plan-commit.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { RegistryMemory } from "../usecases/registry-memory.ts";
import { Engine } from "./engine.ts";

const KEYS = registryKeys("prod");
const LOSS = { agentTtlMs: 3_000, graceMs: 1_000 };

/** Two units on two machines that are only records, and an engine that leads; `hashed` counts what it makes out of what it reads. */
async function placedCluster() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  const text = "[Service]\nExecStart=/bin/true\n";
  const manifest = "apiVersion: fleet/v1\ncluster: prod\npaths: [units]\n";
  const commit = repository.push(
    "main",
    { "fleet.yaml": manifest, "units/a.service": text, "units/b.service": text },
    "units",
  );
  for (const name of ["m1", "m2"]) await joinMachine(registry, KEYS, name, {});
  const planned = await planCommit({
    commit,
    compile,
    cluster: { registry, keysOf: registryKeys },
    partial: null,
    sha256,
  });
  assert.ok(planned.kind === "planned");
  let ids = 0;
  const newId = () => `id${++ids}`;
  const applied = await applyPlan({
    registry,
    keys: KEYS,
    source,
    sourceName: "",
    branch: "main",
    manifest: "fleet.yaml",
    plan: planned.plan,
    spec: planned.spec,
    by: "test",
    clock,
    newId,
    sha256,
  });
  assert.equal(applied.kind, "released");
  let hashed = 0;
  const counting: typeof sha256 = (data) => {
    hashed++;
    return sha256(data);
  };
  const engine = new Engine(
    "prod",
    { machine: "m1", leaderTtlMs: 9_000, loss: LOSS },
    {
      registry,
      source,
      compile,
      clock,
      newId,
      sha256: counting,
      memory: new RegistryMemory(new MemoryFileStore(), "/state"),
      supervisor: UNSUPERVISED,
      log: () => {},
    },
  );
  const stop = new AbortController();
  const running = engine.run(stop.signal);
  const end = async () => {
    stop.abort();
    await clock.advance(1_000);
    await running;
  };
  const machinesOf = async () =>
    (await readSnapshot(registry, KEYS)).snapshot.assignments.map(({ machine }) => machine).sort();
  const placed = async (machines: readonly string[]) => {
    for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 100) {
      await clock.advance(100);
      const now = await machinesOf();
      if (now.join() === machines.map(pretendId).join()) return;
    }
    assert.fail(`after 20 s placed on ${await machinesOf()}, not on ${machines}`);
  };
  return { clock, store, registry, placed, end, hashed: () => hashed };
}

test("a leader to whom nothing happens places nothing anew and writes nothing, and still misses a machine that goes", async () => {
  const { clock, store, registry, placed, end, hashed } = await placedCluster();
  await placed(["m1", "m2"]);
  await clock.advance(30_000);
  const before = [hashed(), store.revision];
  await clock.advance(600_000);
  assert.deepEqual([hashed(), store.revision], before);
  await leaveMachine(registry, KEYS, "m2");
  await placed(["m1", "m1"]);
  assert.ok(hashed() > before[0]!);
  await end();
});

test("a record that somebody else changed is put right at once, also by a leader at rest", async () => {
  const { clock, registry, placed, end } = await placedCluster();
  await placed(["m1", "m2"]);
  await clock.advance(30_000);
  await registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: `${KEYS.root}assign/` }] });
  await placed(["m1", "m2"]);
  await end();
});
