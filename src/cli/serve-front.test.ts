/** An engine's port as machines meet it, from their first knock to the commit that lists them no more. */
import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { trustOf } from "../../test/trust-of.ts";
import { openRegistry } from "../adapters/etcd/open-registry.ts";
import { HubRelay } from "../adapters/hub/hub-relay.ts";
import { dialPeer } from "../adapters/identity/dial-peer.ts";
import { IdentityKeeper } from "../adapters/identity/identity-keeper.ts";
import { NodeIdentity } from "../adapters/identity/node-identity.ts";
import { openDoor } from "../adapters/join/open-door.ts";
import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { MvccRegistry } from "../adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { randomId } from "../adapters/random-id.ts";
import { sha256 } from "../adapters/sha256.ts";
import { systemClock } from "../adapters/system-clock.ts";
import { encodeRecord } from "../codec/record.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import type { ClusterRecord, ReleaseRecord } from "../codec/registry-records.ts";
import { encodeAdmission } from "../codec/token-record.ts";
import { Doorstep } from "../daemon/doorstep.ts";
import { judgeEngine } from "../domain/hub/judge-engine.ts";
import type { CommitId, MachineId, SpecHash } from "../domain/names.ts";
import type { LogLine } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { partCompiler } from "../usecases/compile-part.ts";
import type { DaemonWorld } from "./daemon-composition.ts";
import { serveFront } from "./serve-front.ts";

const LIMITED = { timeout: 20_000 };
const CLUSTER = "c".repeat(32);
const hub = "e".repeat(32) as MachineId;
const nas = "a".repeat(32) as MachineId;
const keys = registryKeys("prod");

async function until<T>(look: () => Promise<T | null> | T | null, what: string): Promise<T> {
  const limit = performance.now() + 10_000;
  for (;;) {
    const seen = await look();
    if (seen !== null) return seen;
    assert.ok(performance.now() < limit, `waited 10 s for ${what}`);
    await systemClock.sleep(10);
  }
}

interface World {
  readonly log: readonly LogLine[];
  readonly doorstep: Doorstep;
  readonly machine: IdentityKeeper;
  port(): Promise<number>;
  release(manifest: string): Promise<void>;
  put(key: string, value: string): Promise<unknown>;
  /** The registry as the machine has it. */
  connect(): Promise<Registry>;
}

/** An engine that serves machines, over a registry and a repository in memory, and one machine with its key. */
async function world(t: TestContext, listenOn = 0): Promise<World> {
  const folder = mkdtempSync(join(tmpdir(), "fleet-serve-"));
  const registry = new MvccRegistry(new MvccStore(), systemClock);
  const repository = new MemoryRepository();
  const source = new MemoryGitSource(repository, "main");
  const log: LogLine[] = [];
  const doorstep = new Doorstep(systemClock);
  const daemon = {
    ...{ registry, source, cluster: "prod", clock: systemClock, newId: randomId, sha256 },
    compilePart: partCompiler({ source, manifestPath: "fleet.yaml" }),
    trust: trustOf(source),
    log: (line: LogLine) => void log.push(line),
  };
  const stop = new AbortController();
  const serving = serveFront(
    daemon as unknown as DaemonWorld,
    {
      ...{ machine: hub, version: "1", branch: "main", stateDirectory: folder, doorstep },
      listen: { host: "127.0.0.1", port: listenOn },
    },
    stop.signal,
  );
  t.after(async () => {
    stop.abort();
    await serving;
    rmSync(folder, { recursive: true });
  });
  const served = () =>
    until(
      () => /serves machines on port (\d+) with engine key (\S+)/.exec(log.map(({ message }) => message).join("\n")),
      "the port",
    );
  const machine = new IdentityKeeper(
    new NodeIdentity(generateKeyPairSync("ed25519").privateKey),
    { clusterId: CLUSTER, role: "machine", machine: nas },
    systemClock,
  );
  let seq = 0;
  const put = (key: string, value: string) => registry.txn({ when: [], then: [{ kind: "put", key, value }] });
  return {
    log,
    doorstep,
    machine,
    put,
    port: async () => Number((await served())[1]),
    async release(manifest) {
      const commit = repository.push("main", {
        "fleet.yaml": manifest,
        "units/a.service": "[Service]\nExecStart=/bin/a\n",
      });
      const identity: ClusterRecord = {
        ...{
          id: CLUSTER,
          name: "prod",
          source: "https://forge/fleet",
          branch: "main",
          manifest: "fleet.yaml",
          epoch: 1,
        },
      };
      const record: ReleaseRecord = {
        ...{ seq: ++seq, commit: commit as CommitId, specHash: "s" as SpecHash, contentId: "c", planId: "p" },
        ...{ parent: null, by: "test", at: "2026-01-01T00:00:00Z", op: String(seq) },
      };
      await put(keys.cluster, encodeRecord(identity));
      await put(keys.release, encodeRecord(record));
    },
    async connect() {
      const [, port, engineKey] = await served();
      const engines = new Map([[engineKey as never, null]]);
      const relay = await HubRelay.listen({
        address: { engines: [{ host: "127.0.0.1", port: Number(port) }], text: "hub://test" },
        ...{ clock: systemClock, random: () => 0, folder: join(folder, "hub"), role: randomId().slice(0, 8) },
        dial: async (endpoint, signal) => {
          const judge = (facts: Parameters<typeof judgeEngine>[0]) => judgeEngine(facts, engines, CLUSTER, Date.now());
          const { socket, facts } = await dialPeer(endpoint.host, endpoint.port, machine, judge, signal);
          return { stream: socket, key: facts.key! };
        },
      });
      const client = await openRegistry(`unix:${relay.socketPath}`, { clock: systemClock });
      t.after(async () => {
        await client.close();
        await relay.close();
      });
      return client;
    },
  };
}

const manifestWith = (stanza: string) =>
  `apiVersion: fleet/v1\ncluster: prod\npaths: [units]\n${stanza === "" ? "" : `machines:\n${stanza}`}`;
const listing = (machine: IdentityKeeper) => manifestWith(`  nas: { id: ${nas}, key: "${machine.identity.key}" }\n`);
const reads = (registry: Registry) =>
  registry.list(keys.cluster, { exact: true }).then(
    () => true,
    (error) => {
      if (!(error instanceof OperationError)) throw error;
      return null;
    },
  );

test(
  "a machine is told how to join, is let in by the commit that lists its key, and put out by the one that does not",
  LIMITED,
  async (t) => {
    const { release, connect, machine, doorstep, port, log } = await world(t);
    await release(manifestWith(""));
    const registry = await connect();
    const address = { host: "127.0.0.1", port: await port(), identity: machine, nowMs: Date.now };
    const standing = async () => {
      const door = await openDoor(address, AbortSignal.timeout(10_000));
      try {
        return (await door.hello({ name: "nas", isNamed: true, bootId: "b" })).standing.code;
      } catch (error) {
        if (error instanceof OperationError && error.code === "engine-not-ready") return null;
        throw error;
      } finally {
        door.close();
      }
    };
    assert.equal(await until(standing, "an answer"), "unlisted");
    assert.equal(await reads(registry), null);
    assert.deepEqual(
      doorstep.waiting().map((one) => [one.machine, one.key]),
      [[nas, machine.identity.key]],
    );
    await release(listing(machine));
    await until(() => reads(registry), "the machine to be let in");
    assert.deepEqual([await standing(), doorstep.waiting()], ["listed", []]);
    await assert.rejects(
      registry.list(keys.root),
      (error) => error instanceof OperationError && error.code === "forbidden-key",
    );
    await release(manifestWith(""));
    await until(async () => ((await reads(registry)) === null ? true : null), "the machine to be put out");
    assert.deepEqual(
      log.filter(({ priority }) => priority === "err"),
      [],
    );
  },
);

test("a machine that a token let in comes in, for as long as git says nothing of it", LIMITED, async (t) => {
  const { release, put, connect, machine } = await world(t);
  await release(manifestWith(""));
  const admission = {
    ...{ machine: nas, name: "nas", key: machine.identity.key, metadata: {}, by: "root", atMs: 0, token: "t" },
  };
  await put(keys.admitted(nas), encodeAdmission(admission, "op"));
  const registry = await connect();
  await until(() => reads(registry), "the machine to be let in");
  await release(manifestWith(`  nas: { id: ${nas}, key: "ed25519:${"A".repeat(43)}" }\n`));
  await until(async () => ((await reads(registry)) === null ? true : null), "the machine to be put out");
});

test("a commit that cannot be read changes nobody's rights", LIMITED, async (t) => {
  const { release, connect, machine, log } = await world(t);
  await release(listing(machine));
  const registry = await connect();
  await until(() => reads(registry), "the machine to be let in");
  await release("cluster: [");
  await until(() => log.find(({ message }) => message.startsWith("keys of machines stay")) ?? null, "the problem");
  assert.equal(await reads(registry), true);
});

test("a port that is taken is said, and served as soon as it is free", LIMITED, async (t) => {
  const other = createServer();
  await new Promise<void>((resolve) => other.listen(0, "127.0.0.1", resolve));
  const { port } = other.address() as { port: number };
  const { log, port: served } = await world(t, port);
  await until(() => log.find(({ message }) => message.startsWith("cannot-listen")) ?? null, "the problem");
  other.close();
  assert.equal(await served(), port);
});
