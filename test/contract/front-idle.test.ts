import assert from "node:assert/strict";
import { test } from "node:test";
import { etcdCounters } from "../../bench/etcd-counters.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { machineScope } from "../../src/codec/machine-scope.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import type { MachineId } from "../../src/domain/names.ts";
import { partCompiler } from "../../src/usecases/compile-part.ts";
import { liveAgent } from "../live-agent.ts";
import { EtcdProcess } from "./etcd-process.ts";
import { FrontWorld } from "./front-world.ts";

const AGENTS = 30;
const FRONTS = 3;
/** Renewed every 3.3 s: once at least while nothing happens, and none ends on a machine that is busy. */
const TTL_MS = 10_000;
const IDLE_MS = 4_000;
const keys = registryKeys("prod");

test("thirty agents that have nothing to say cost etcd no proposal, whichever engines they come through", {
  timeout: 120_000,
}, async (t) => {
  const etcd = await EtcdProcess.start("3.5");
  t.after(() => etcd.remove());
  const fronts: FrontWorld[] = [];
  for (let at = 0; at < FRONTS; at++) {
    const registry = await openRegistry(etcd.address, { clock: systemClock });
    const front = await FrontWorld.start({ registry, root: keys.root });
    t.after(async () => {
      await front.close();
      await registry.close();
    });
    fronts.push(front);
  }
  const source = new MemoryGitSource(new MemoryRepository(), "main");
  const compilePart = partCompiler({ source, manifestPath: "fleet.yaml" });
  const stop = new AbortController();
  const said: string[] = [];
  const running = await Promise.all(
    Array.from({ length: AGENTS }, async (_, at) => {
      const machine = at.toString(16).padStart(32, "0") as MachineId;
      const registry = await fronts[at % FRONTS]!.connect({ name: machine, scope: machineScope(keys, machine) });
      const log = ({ message }: { message: string }) => void said.push(message);
      const options = { cluster: "prod", machine, registry, source, compilePart, ttlMs: TTL_MS, log };
      return { ended: liveAgent(options).run(stop.signal) };
    }),
  );
  const count = (counters: Awaited<ReturnType<typeof etcdCounters>>, prefix: string) =>
    counters.keys.filter((key) => key.startsWith(`${keys.root}${prefix}`)).length;
  const limit = performance.now() + 90_000;
  let before = await etcdCounters(etcd);
  while (count(before, "presence/") < AGENTS) {
    assert.ok(performance.now() < limit, "not all agents came");
    await systemClock.sleep(100);
    before = await etcdCounters(etcd);
  }
  await systemClock.sleep(500);
  before = await etcdCounters(etcd);
  await systemClock.sleep(IDLE_MS);
  const after = await etcdCounters(etcd);
  assert.deepEqual([after.proposals - before.proposals, after.revision - before.revision], [0, 0]);
  assert.deepEqual(after.keys, before.keys);
  assert.deepEqual(
    said.filter((message) => message.startsWith("forbidden-key")),
    [],
  );
  stop.abort();
  for (const { ended } of running) await ended;
});
