import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { MemoryHealthProbe } from "../adapters/memory/memory-health-probe.ts";
import { MemoryPodman } from "../adapters/memory/memory-podman.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { MachineId } from "../domain/names.ts";
import { UNSUPERVISED } from "../ports/supervisor.ts";
import { AgentFiles } from "../usecases/agent-files.ts";
import { partCompiler } from "../usecases/compile-part.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { Agent } from "./agent.ts";

const keys = registryKeys("prod");
const M1 = "1".repeat(32) as MachineId;

/** An agent on a machine of its own, running; its registry holds no release yet. */
function world() {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const source = new MemoryGitSource(new MemoryRepository(), "main");
  const disk = new MemoryFileStore();
  let ids = 0;
  const capacity = { cpuMilli: 4_000, memoryBytes: 2 ** 32 };
  const self = { machine: M1, name: "m1", address: "10.0.0.1", metadata: {}, bootId: "b", version: "1", capacity };
  const agent = new Agent(self, "prod", 10_000, {
    registry,
    source,
    trust: trustOf(source),
    compilePart: partCompiler({ source, manifestPath: "fleet.yaml" }),
    manager: new MemoryUnitManager({ files: disk, clock }),
    files: new AgentFiles(disk),
    holder: { renewed: async () => {} },
    health: new MemoryHealthProbe(),
    podman: new MemoryPodman(disk),
    contacts: [],
    clock,
    newId: () => `id${++ids}`,
    sha256,
    supervisor: UNSUPERVISED,
    log: () => {},
  });
  const stop = new AbortController();
  void expireLeases(store, clock, stop.signal);
  let crash: unknown = null;
  agent.run(stop.signal).catch((error: unknown) => {
    crash = error;
  });
  const member = async () => (await readSnapshot(registry, keys)).snapshot.members[0];
  const put = (key: string, value: string) => registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  const remove = (key: string) => registry.txn({ when: [], then: [{ kind: "delete", key }] });
  return { clock, store, stop, member, put, remove, crash: () => crash };
}

test("a machine says that it is there and what it has, once, and an idle one then writes nothing", async () => {
  const { clock, store, member } = world();
  await clock.advance(5_000);
  assert.deepEqual([(await member())?.name, (await member())?.present], ["m1", true]);
  assert.deepEqual((await member())?.capacity, { cpuMilli: 4_000, memoryBytes: 2 ** 32 });
  const { revision } = store;
  await clock.advance(3_600_000);
  assert.equal(store.revision, revision);
  assert.equal((await member())?.present, true);
});

for (const damage of ["not JSON", "null", "{}", '{"v":1,"joined":7}', null]) {
  test(`a member record that somebody ${damage === null ? "deleted" : `made ${damage}`} is written again`, async () => {
    const { clock, member, put, remove, crash } = world();
    await clock.advance(5_000);
    const before = await member();
    if (damage === null) await remove(keys.member(M1));
    else await put(keys.member(M1), damage);
    await clock.advance(10_000);
    assert.equal(crash(), null);
    const after = await member();
    assert.deepEqual({ ...after, joined: "" }, { ...before, joined: "" });
    assert.notEqual(after?.joined, "");
  });
}

test("a presence key that somebody deleted is hung on the lease again", async () => {
  const { clock, member, remove } = world();
  await clock.advance(5_000);
  await remove(keys.presence(M1));
  await clock.advance(10_000);
  assert.equal((await member())?.present, true);
});

test("an agent that ends is absent at once", async () => {
  const { clock, stop, member } = world();
  await clock.advance(5_000);
  stop.abort();
  await clock.advance(1_000);
  assert.equal((await member())?.present, false);
});
