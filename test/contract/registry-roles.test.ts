import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { dirname } from "node:path";
import { after, before, describe, test } from "node:test";
import { promisify } from "node:util";
import { thirdPartyBinary } from "../../scripts/third-party.ts";
import { etcdProbes } from "../../src/adapters/etcd/etcd-probes.ts";
import { openRegistry } from "../../src/adapters/etcd/open-registry.ts";
import { parseRegistryAddress } from "../../src/adapters/etcd/registry-address.ts";
import type { TlsFiles } from "../../src/adapters/etcd/tls-files.ts";
import { MemoryFileStore } from "../../src/adapters/memory/memory-file-store.ts";
import { MemoryGitSource, MemoryRepository } from "../../src/adapters/memory/memory-git-source.ts";
import { MemoryHealthProbe } from "../../src/adapters/memory/memory-health-probe.ts";
import { MemoryPodman } from "../../src/adapters/memory/memory-podman.ts";
import { MemoryUnitManager } from "../../src/adapters/memory/memory-unit-manager.ts";
import { randomId } from "../../src/adapters/random-id.ts";
import { sha256 } from "../../src/adapters/sha256.ts";
import { systemClock } from "../../src/adapters/system-clock.ts";
import { etcdctlScript } from "../../src/cli/views/registry-roles-text.ts";
import { registryKeys } from "../../src/codec/registry-keys.ts";
import {
  agentGrants,
  isGranted,
  REGISTRY_ROLES,
  type RegistryGrant,
  type RegistryRole,
  roleGrants,
} from "../../src/codec/registry-roles.ts";
import { Agent } from "../../src/daemon/agent.ts";
import { Engine } from "../../src/daemon/engine.ts";
import { waitConverged } from "../../src/daemon/wait-converged.ts";
import type { UnitName } from "../../src/domain/names.ts";
import { OperationError } from "../../src/ports/operation-error.ts";
import type { Registry } from "../../src/ports/registry.ts";
import { UNSUPERVISED } from "../../src/ports/supervisor.ts";
import { AgentFiles } from "../../src/usecases/agent-files.ts";
import { applyPlan } from "../../src/usecases/apply-plan.ts";
import { commitCompiler } from "../../src/usecases/compile-commit.ts";
import { partCompiler } from "../../src/usecases/compile-part.ts";
import { LapseWatch } from "../../src/usecases/lapse-watch.ts";
import { endHold, placeHold } from "../../src/usecases/place-hold.ts";
import { planCommit } from "../../src/usecases/plan-commit.ts";
import { readSnapshot } from "../../src/usecases/read-snapshot.ts";
import { RegistryMemory } from "../../src/usecases/registry-memory.ts";
import { releaseLock } from "../../src/usecases/release-lock.ts";
import { removeMachine } from "../../src/usecases/remove-machine.ts";
import { takeLock } from "../../src/usecases/take-lock.ts";
import { pretendId } from "../pretend-machine.ts";
import { trustOf } from "../trust-of.ts";
import { TestAuthority } from "./certificates.ts";
import { EtcdProcess, freePort } from "./etcd-process.ts";

const run = promisify(execFile);
const keys = registryKeys("prod");
const [M1, M2] = [pretendId("m1"), pretendId("m2")];
const grantsOf = (role: RegistryRole): RegistryGrant[] =>
  role === "agent" ? agentGrants(keys, M1) : roleGrants(keys, role);
const nameOf = (role: RegistryRole) => (role === "agent" ? `fleet-prod-agent-${M1}` : `fleet-prod-${role}`);
const isDenied = (error: unknown) => error instanceof OperationError && error.code === "registry-denied";

describe("the roles fleet prints, in a real etcd with certificates", { concurrency: false }, () => {
  const authority = new TestAuthority();
  const clients = new Map<RegistryRole | "root", Registry>();
  let etcd: EtcdProcess;
  let tlsPort: number;
  let agentFiles: Required<TlsFiles>;
  const as = (who: RegistryRole | "root"): Registry => clients.get(who)!;

  before(async () => {
    tlsPort = await freePort();
    etcd = await EtcdProcess.start("3.4", [], { port: tlsPort, ...authority.issue("server") });
    const root = authority.issue("root");
    const named = REGISTRY_ROLES.map((role) => ({ name: nameOf(role), role, grants: grantsOf(role) }));
    const script = etcdctlScript("prod", named);
    const last = /^# {3}(role root;.*)$/m.exec(script)![1]!;
    await etcdctl(tlsPort, root, `${script}\n${last}`);
    await etcdctl(tlsPort, root, etcdctlScript("prod", named.slice(-1)));
    const open = (tls: TlsFiles) => openRegistry(`etcds://localhost:${tlsPort}`, { clock: systemClock, tls });
    agentFiles = authority.issue(nameOf("agent"));
    for (const role of REGISTRY_ROLES) {
      clients.set(role, await open(role === "agent" ? agentFiles : authority.issue(nameOf(role))));
    }
    clients.set("root", await open(root));
  });
  after(async () => {
    for (const client of clients.values()) await client.close();
    await etcd?.remove();
    authority.remove();
  });

  test("each reads and writes what its role has, and nothing else of every key there is", async () => {
    const wrong: string[] = [];
    for (const role of REGISTRY_ROLES) {
      const grants = grantsOf(role);
      for (const key of KEYS_OF_ALL_KINDS) {
        const tries = [
          ["read", () => as(role).list(key, { exact: true })],
          ["write", () => as(role).txn(put(key))],
        ] as const;
        for (const [access, attempt] of tries) {
          const is = await isAllowed(attempt);
          if (is === isGranted(grants, access, { key, reach: "key" })) continue;
          wrong.push(`${role} ${is ? "may" : "may not"} ${access} ${key}`);
        }
      }
    }
    assert.deepEqual(wrong, []);
    await as("root").txn({ when: [], then: [{ kind: "delete-prefix", prefix: "/" }] });
  });

  test("nobody sees other clusters, watches beyond its role, or changes users", async () => {
    for (const role of REGISTRY_ROLES) {
      await assert.rejects(as(role).list("/fleet/"), isDenied, `${role} lists /fleet/`);
      await assert.rejects(as(role).list(registryKeys("production").root), isDenied, `${role} lists another cluster`);
    }
    const stop = new AbortController();
    const watched = as("agent").watch(keys.set(M2), 1, stop.signal)[Symbol.asyncIterator]().next();
    await assert.rejects(watched, isDenied, "an agent watches another machine's set");
    const probes = etcdProbes(parseRegistryAddress(`etcds://localhost:${tlsPort}`), agentFiles, systemClock);
    assert.equal((await probes.access()).hasUsers, true, "fleet registry check sees that there are users");
    probes.close();
    assert.deepEqual((await as("agent").describe()).members, 1, "and a doctor what it is");
    await assert.rejects(etcdctl(tlsPort, authority.issue("no-user"), "etcdctl get /fleet/prod/release"));
    await assert.rejects(etcdctl(tlsPort, agentFiles, "etcdctl user add mallory --no-password"), /permission denied/);
  });

  test("under them a commit is planned, applied, placed and run, and an operator does its work", async (t) => {
    const repository = new MemoryRepository();
    const source = new MemoryGitSource(repository, "main");
    const stop = new AbortController();
    const daemons = [agentOf(as("agent"), source), engineOf(as("engine"), source)].map((one) => one.run(stop.signal));
    t.after(async () => {
      stop.abort();
      await Promise.all(daemons);
    });
    for await (const message of as("reader").watch(keys.presence(M1), 1, AbortSignal.timeout(20_000))) {
      if (message.kind === "changes") break;
    }
    const commit = repository.push("main", FILES, "one");
    const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
    const planned = await planCommit({
      ...{ commit, compile, partial: null, sha256 },
      cluster: { registry: as("reader"), keysOf: registryKeys },
    });
    assert.equal(planned.kind, "planned");
    const { plan, spec } = planned as Extract<typeof planned, { kind: "planned" }>;
    const ports = { clock: systemClock, newId: randomId, sha256 };
    const apply = (registry: Registry) =>
      applyPlan({ ...ports, registry, keys, source, trust: trustOf(source), plan, spec, ...APPLY, by: "ci" });
    await assert.rejects(apply(as("reader")), isDenied);
    const lock = { name: "apply", holder: "ci-1", by: "ci", reason: "", slots: 1, forMs: 60_000, queues: false };
    const driver = { ...ports, registry: as("driver"), keys };
    assert.equal((await takeLock(driver, lock, new LapseWatch(systemClock))).kind, "held");
    assert.equal((await apply(as("driver"))).kind, "released");
    await releaseLock(driver, "apply", "ci-1");
    const { converged } = await waitConverged({
      ...{ registry: as("driver"), keys, spec, releaseSeq: 1, timeoutMs: 20_000, clock: systemClock, sha256 },
      onProgress: () => undefined,
    });
    assert.equal(converged, true);
    stop.abort();
    await Promise.all(daemons);
    const operator = { ...ports, registry: as("operator"), keys };
    const hold = { scope: { kind: "cluster" }, reason: "", by: "ada", at: "", forMs: 60_000 } as const;
    await placeHold(operator.registry, keys, hold, randomId);
    assert.equal(await endHold(operator.registry, keys, hold.scope), true);
    assert.equal((await takeLock(operator, { ...lock, name: "backup" }, new LapseWatch(systemClock))).kind, "held");
    await removeMachine(operator.registry, keys, M1);
    assert.deepEqual((await readSnapshot(as("reader"), keys)).snapshot.members, []);
  });
});

const FILES = {
  "fleet.yaml":
    "apiVersion: fleet/v1\ncluster: prod\nadmit: any\nunits: { web.service: { rollout: { minHealthyTime: 0s } } }\n",
  "units/web.service": "[Service]\nExecStart=/bin/sleep infinity\n",
};
const APPLY = { sourceName: "", branch: "main", manifest: "fleet.yaml" };

/** One of each kind, of this machine and of another where a machine's is meant. */
const KEYS_OF_ALL_KINDS = [
  ...[keys.cluster, keys.release, keys.releaseAt(1), keys.specChunk("s", 0), keys.planChunk("p", 0), keys.importing],
  ...[keys.leader, keys.term, keys.report, keys.losses, keys.rollout(1), keys.rolloutOrder(1), `${keys.holds}cluster`],
  ...[M1, M2].flatMap((machine) => [
    ...[keys.set(machine), keys.placement(machine, "web.service" as UnitName), keys.member(machine)],
    ...[keys.presence(machine), keys.claim(machine, "boot"), keys.status(machine, "web.service" as UnitName)],
    ...[keys.kept(machine), keys.lock("reboot", machine), keys.grant(machine)],
    ...[keys.admitted(machine)],
  ]),
  ...[keys.assign("web.service" as UnitName), keys.lockHeader("reboot"), keys.lockHeader("apply")],
  ...[keys.lock("apply", "ci"), keys.lockHeader("backup"), keys.lock("backup", "ci"), keys.token("t")],
  ...["/fleet/prod", "/fleet/production/release", "/other"],
];

async function isAllowed(attempt: () => Promise<unknown>): Promise<boolean> {
  try {
    await attempt();
    return true;
  } catch (error) {
    if (!isDenied(error)) throw error;
    return false;
  }
}

/** Runs that script where `etcdctl` is the real one, with that certificate. */
async function etcdctl(port: number, files: Required<TlsFiles>, script: string): Promise<void> {
  const binary = await thirdPartyBinary("etcdctl");
  await run("sh", ["-c", script], {
    timeout: 60_000,
    env: {
      PATH: `${dirname(binary)}:${process.env.PATH}`,
      ETCDCTL_API: "3",
      ETCDCTL_ENDPOINTS: `https://127.0.0.1:${port}`,
      ETCDCTL_CACERT: files.authority,
      ETCDCTL_CERT: files.certificate,
      ETCDCTL_KEY: files.key,
    },
  });
}

function agentOf(registry: Registry, source: MemoryGitSource): Agent {
  const files = new MemoryFileStore();
  const self = { machine: M1, name: "m1", address: "127.0.0.1", metadata: {}, bootId: "b", version: "1" };
  return new Agent(self, "prod", 10_000, {
    ...{ registry, source, clock: systemClock, newId: randomId, sha256, supervisor: UNSUPERVISED, contacts: [] },
    trust: trustOf(source),
    compilePart: partCompiler({ source, manifestPath: "fleet.yaml" }),
    manager: new MemoryUnitManager({ files, clock: systemClock }),
    files: new AgentFiles(files),
    holder: { renewed: async () => {} },
    health: new MemoryHealthProbe(),
    podman: new MemoryPodman(files),
    log: () => {},
  });
}

function engineOf(registry: Registry, source: MemoryGitSource): Engine {
  return new Engine(
    "prod",
    { machine: "m1", leaderTtlMs: 10_000, loss: {} },
    {
      ...{ registry, source, clock: systemClock, newId: randomId, sha256, supervisor: UNSUPERVISED },
      trust: trustOf(source),
      compile: commitCompiler({ source, manifestPath: "fleet.yaml", sha256 }),
      memory: new RegistryMemory(new MemoryFileStore(), "/state"),
      log: () => {},
    },
  );
}

function put(key: string): Parameters<Registry["txn"]>[0] {
  return { when: [], then: [{ kind: "put", key, value: "" }] };
}
