import assert from "node:assert/strict";
import { test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { expireLeases } from "../adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import type { Log } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import { UNSUPERVISED } from "../ports/supervisor.ts";
import { SwitchedRegistry } from "../sim/switched-registry.ts";
import { commitCompiler } from "../usecases/compile-commit.ts";
import { RegistryMemory } from "../usecases/registry-memory.ts";
import { Engine } from "./engine.ts";

const TTL_MS = 9_000;

/** A registry to which keep-alives arrive and whose answers to them can get lost. */
class DeafRegistry extends MvccRegistry {
  deaf = false;

  override async keepAlive(lease: LeaseId): Promise<boolean> {
    const answer = await super.keepAlive(lease);
    if (this.deaf) throw new OperationError("registry-timeout", "no answer");
    return answer;
  }
}

function newEngine(registry: Registry, clock: VirtualClock, log: Log = () => {}): Engine {
  const source = new MemoryGitSource(new MemoryRepository(), "main");
  let ids = 0;
  return new Engine(
    "prod",
    { machine: "m1", leaderTtlMs: TTL_MS, loss: {} },
    {
      registry,
      source,
      trust: trustOf(source),
      compile: commitCompiler({ source, manifestPath: "fleet.yaml", sha256 }),
      clock,
      newId: () => `id${++ids}`,
      sha256,
      memory: new RegistryMemory(new MemoryFileStore(), "/state"),
      supervisor: UNSUPERVISED,
      log,
    },
  );
}

test("an engine that stepped down while its lease lived on in the registry leads again, and the cluster is not left without", async () => {
  const clock = new VirtualClock();
  const store = new MvccStore();
  const registry = new DeafRegistry(store, clock);
  const stop = new AbortController();
  const [one, other] = [newEngine(registry, clock), newEngine(new MvccRegistry(store, clock), clock)];
  const running = [expireLeases(store, clock, stop.signal), one.run(stop.signal)];
  assert.ok(await clock.runUntil(() => one.leads, 10_000));
  running.push(other.run(stop.signal));
  registry.deaf = true;
  assert.ok(await clock.runUntil(() => !one.leads, 2 * TTL_MS), "unanswered, it must not believe in its lease");
  registry.deaf = false;
  assert.ok(await clock.runUntil(() => one.leads !== other.leads, 2 * TTL_MS), "somebody leads");
  stop.abort();
  await clock.advance(1_000);
  await Promise.all(running);
});

test("in a registry that was put back it leads once, though its mirror knows higher revisions and does not show its key yet", async () => {
  const clock = new VirtualClock();
  const registry = new SwitchedRegistry(clock);
  const empty = registry.backup();
  for (let revision = 0; revision < 100; revision += 1)
    await registry.txn({ when: [], then: [{ kind: "put", key: "/others", value: String(revision) }] });
  const stop = new AbortController();
  const watching = { lags: false };
  const seen = new Proxy(registry, {
    get(target, name: keyof SwitchedRegistry) {
      const call = target[name];
      if (typeof call !== "function" || name !== "watch" || !watching.lags) {
        return typeof call === "function" ? call.bind(target) : call;
      }
      return async function* (_prefix: string, _after: number, signal: AbortSignal) {
        await clock.sleep(3_600_000, signal);
        yield* [];
      };
    },
  });
  const terms: string[] = [];
  const engine = newEngine(seen, clock, ({ message }) => void (message.startsWith("leads,") && terms.push(message)));
  const running = engine.run(stop.signal);
  assert.ok(await clock.runUntil(() => engine.leads, 10_000));
  watching.lags = true;
  registry.restore(empty);
  assert.ok(await clock.runUntil(() => terms.length === 2, 5 * TTL_MS), "it leads again, in that registry");
  await clock.advance(TTL_MS / 2);
  assert.equal(engine.leads, true);
  assert.equal(terms.length, 2);
  stop.abort();
  await clock.advance(1_000);
  await running;
});
