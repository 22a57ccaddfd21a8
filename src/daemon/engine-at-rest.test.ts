import assert from "node:assert/strict";
import { test } from "node:test";
import { joinMachine, leaveMachine, pretendId } from "../../test/pretend-machine.ts";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import { UNSUPERVISED } from "../ports/supervisor.ts";
import { applyPlan } from "../usecases/apply-plan.ts";
import { commitCompiler } from "../usecases/compile-commit.ts";
import { planCommit } from "../usecases/plan-commit.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { RegistryMemory } from "../usecases/registry-memory.ts";
import { Engine } from "./engine.ts";

const KEYS = registryKeys("prod");
const LOSS = { agentTtlMs: 3_000, graceMs: 2_000 };

const SLEEPER = "[Service]\nExecStart=/bin/sleep infinity\n";
const MANIFEST = "apiVersion: fleet/v1\ncluster: prod\npaths: [units]\n";

/** Two machines that are only records, an engine that leads; `hashed` counts what it makes out of what it reads. */
async function cluster(files: Readonly<Record<string, string>>) {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
  let ids = 0;
  const newId = () => `id${++ids}`;
  const trust = trustOf(source);
  for (const name of ["m1", "m2"]) await joinMachine(registry, KEYS, name, {});
  const release = async (changed: Readonly<Record<string, string>>) => {
    const commit = repository.push("main", { "fleet.yaml": MANIFEST, ...changed }, "units");
    const from = { registry, keysOf: registryKeys };
    const planned = await planCommit({ commit, compile, cluster: from, partial: null, sha256 });
    assert.ok(planned.kind === "planned");
    const { plan, spec } = planned;
    const where = { sourceName: "", branch: "main", manifest: "fleet.yaml", by: "test", trust };
    const applied = await applyPlan({ registry, keys: KEYS, source, ...where, plan, spec, clock, newId, sha256 });
    assert.equal(applied.kind, "released");
  };
  await release(files);
  let hashed = 0;
  const counting: typeof sha256 = (data) => {
    hashed++;
    return sha256(data);
  };
  const ports = {
    ...{ registry, source, trust, compile, clock, newId, sha256: counting },
    memory: new RegistryMemory(new MemoryFileStore(), "/state"),
    supervisor: UNSUPERVISED,
    log: () => {},
  };
  const stop = new AbortController();
  const running = new Engine("prod", { machine: "m1", leaderTtlMs: 9_000, loss: LOSS }, ports).run(stop.signal);
  const end = async () => {
    stop.abort();
    await clock.advance(1_000);
    await running;
  };
  const assignments = async () => (await readSnapshot(registry, KEYS)).snapshot.assignments;
  /** How long that took, in milliseconds. */
  const until = async (what: string, holds: () => Promise<boolean>, stepMs = 100): Promise<number> => {
    for (let waitedMs = 0; waitedMs <= 20_000; waitedMs += stepMs) {
      if (await holds()) return waitedMs;
      await clock.advance(stepMs);
    }
    return assert.fail(`not within 20 s: ${what}`);
  };
  const placed = (...machines: readonly string[]) =>
    until(
      `placed on ${machines}`,
      async () =>
        (await assignments())
          .map(({ machine }) => machine)
          .sort()
          .join() === machines.map(pretendId).join(),
      10,
    );
  /** What the machine of that assignment says of it. */
  const says = async (index: number, active: string) => {
    const { unit, machine, hash } = (await assignments())[index]!;
    const status: StatusRecord = {
      ...{ load: "loaded", active, sub: "running", hash, since: "2026-01-01T00:00:00.000Z", result: "success" },
      ...{ invocation: "", started: true, problem: null },
    };
    const value = encodeRecord(status);
    await registry.txn({ when: [], then: [{ kind: "put", key: KEYS.status(machine, unit), value }] });
  };
  return { clock, store, registry, release, assignments, says, until, placed, end, hashed: () => hashed };
}

const two = () => cluster({ "units/a.service": SLEEPER, "units/b.service": SLEEPER });

test("a leader to whom nothing happens places nothing anew and writes nothing, and still misses a machine that goes", async () => {
  const { clock, store, registry, says, placed, end, hashed } = await two();
  await placed("m1", "m2");
  for (const index of [0, 1]) await says(index, "active");
  await clock.advance(30_000);
  const before = [hashed(), store.revision];
  await clock.advance(600_000);
  assert.deepEqual([hashed(), store.revision], before);
  await leaveMachine(registry, KEYS, "m2");
  await placed("m1", "m1");
  assert.ok(hashed() > before[0]!);
  await end();
});

test("a record that somebody else changed is put right at once, also by a leader at rest", async () => {
  const { clock, registry, placed, end } = await two();
  await placed("m1", "m2");
  await clock.advance(30_000);
  await registry.txn({ when: [], then: [{ kind: "delete-prefix", prefix: `${KEYS.root}assign/` }] });
  await placed("m1", "m2");
  await end();
});

test("a machine is lost when its grace is over, and not at the next of the looks that are half a second apart", async () => {
  const { clock, registry, placed, end } = await two();
  await placed("m1", "m2");
  await clock.advance(30_110);
  await leaveMachine(registry, KEYS, "m2");
  const tookMs = await placed("m1", "m1");
  assert.ok(tookMs >= LOSS.graceMs && tookMs < LOSS.graceMs + 100, `${tookMs} ms`);
  await end();
});

/** A new version of two replicas, of which the first has been changed and its machine has not said anything of it yet. */
async function firstOfTwo() {
  const template = (version: number) => `${SLEEPER}Environment=VERSION=${version}\n`;
  const manifest = `${MANIFEST}units: { w@.service: { instances: 2, rollout: { healthDeadline: 1h } } }\n`;
  const files = (version: number) => ({ "fleet.yaml": manifest, "units/w@.service": template(version) });
  const all = await cluster(files(1));
  const { registry, release, assignments, says, until } = all;
  await until("both are placed", async () => (await assignments()).length === 2);
  for (const index of [0, 1]) await says(index, "active");
  const before = (await assignments()).map(({ hash }) => hash);
  const changed = async () => (await assignments()).filter(({ hash }, index) => hash !== before[index]).length;
  await release(files(2));
  for (const name of ["m1", "m2"]) await joinMachine(registry, KEYS, name, {}, { acceptedSeq: 2 });
  await until("the first is changed", async () => (await changed()) === 1);
  const saysChanged = async (active: string) =>
    says(
      (await assignments()).findIndex(({ hash }, index) => hash !== before[index]),
      active,
    );
  return { ...all, changed, saysChanged };
}

test("a leader whose wave waits for a status changes and writes nothing until one comes, and then goes on", async () => {
  const { clock, store, saysChanged, changed, until, end } = await firstOfTwo();
  await clock.advance(30_000);
  const atRest = store.revision;
  await clock.advance(600_000);
  assert.deepEqual([store.revision, await changed()], [atRest, 1]);
  await saysChanged("active");
  await until("the second is changed as well", async () => (await changed()) === 2);
  await end();
});

test("a leader places nothing anew while what it changed has only to stay up, and goes on as soon as it has", async () => {
  const { clock, hashed, saysChanged, changed, until, end } = await firstOfTwo();
  await saysChanged("active");
  // Until all of it is told.
  await clock.advance(2_000);
  const atRest = hashed();
  await clock.advance(2_500);
  assert.deepEqual([hashed(), await changed()], [atRest, 1]);
  const tookMs = await until("the second is changed as well", async () => (await changed()) === 2);
  assert.ok(tookMs <= 2_000, `${tookMs} ms`);
  await end();
});
