import { type ChildProcess, fork, spawn } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { openRegistry } from "../src/adapters/etcd/open-registry.ts";
import { openLocalGitSource } from "../src/adapters/git/local-git-source.ts";
import { NodeIdentity } from "../src/adapters/identity/node-identity.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { encodeRecord } from "../src/codec/record.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import type { ClusterRecord, ReleaseRecord } from "../src/codec/registry-records.ts";
import type { NodeKey } from "../src/domain/identity/node-key.ts";
import type { MachineId } from "../src/domain/names.ts";
import { mustRun } from "../src/lab/run-program.ts";
import type { Registry } from "../src/ports/registry.ts";
import { commitCompiler } from "../src/usecases/compile-commit.ts";
import { EtcdProcess, freePort } from "../test/contract/etcd-process.ts";
import { type AgentsOrder, CHANGE_KEY, type Reached } from "./agents-process.ts";
import { type EtcdCounters, etcdCounters } from "./etcd-counters.ts";
import { type Figures, figuresOf, rounded, type Sizes } from "./figures.ts";
import { fleetArgv } from "./fleet-program.ts";
import { processCost } from "./process-cost.ts";

const ENGINES = 3;
/** Agents of one process: it has the client's half of all that engines have of it. */
const AGENTS_PER_PROCESS = 125;
const CLUSTER = "bench";
const CLUSTER_ID = "b".repeat(32);
/** What a manifest that says nothing asks for. */
const TTL_MS = 30_000;
const CHANGES = 20;
const QUIET_MS = 5_000;
const REACH_LIMIT_MS = 120_000;
/** A thousand agents begin in some 20 s of CPU time, on two cores that others use as well. */
const BEGIN_LIMIT_MS = 600_000;
const keys = registryKeys(CLUSTER);

interface Engine {
  readonly child: ChildProcess;
  readonly port: number;
  readonly key: NodeKey;
}

interface Machine {
  readonly id: MachineId;
  readonly pem: string;
  readonly key: NodeKey;
}

/**
 * What machines cost that go through engines: `fleet engine --listen` three times, as built, on a real etcd, and so many agents with their real
 * client (keys, TLS, relay) in a few processes, over the loopback. The value is the proposals that etcd commits in a minute in which nothing
 * happens: it must be 0. Beside it what each engine needs meanwhile, and how long a change takes from its write to every agent.
 */
export async function benchAgents(sizes: Sizes): Promise<Figures> {
  const [count, seconds] = [sizes.machines ?? 1_000, sizes.seconds ?? 60];
  const folder = mkdtempSync(join(tmpdir(), "fleet-agents-"));
  const etcd = await EtcdProcess.start("3.4");
  const engines: Engine[] = [];
  const groups: ChildProcess[] = [];
  try {
    const machines = Array.from({ length: count }, newMachine);
    const repository = await release(folder, etcd.address, machines);
    for (let at = 0; at < ENGINES; at++) engines.push(await startEngine(folder, repository, etcd.address, at));
    const order = (some: readonly Machine[]): AgentsOrder => ({
      ...{ cluster: CLUSTER, clusterId: CLUSTER_ID, repository, folder, ttlMs: TTL_MS },
      ports: engines.map(({ port }) => port),
      engineKeys: engines.map(({ key }) => key),
      machines: some.map(({ id, pem }) => ({ id, pem })),
    });
    for (let at = 0; at < count; at += AGENTS_PER_PROCESS) {
      const group = fork(new URL("./agents-process.ts", import.meta.url), {
        stdio: ["ignore", "ignore", "inherit", "ipc"],
      });
      group.send(order(machines.slice(at, at + AGENTS_PER_PROCESS)));
      groups.push(group);
    }
    const beginMs = await settle(etcd, count);
    const before = { counters: await etcdCounters(etcd), costs: costs(engines, etcd, groups), atMs: performance.now() };
    await sleep(seconds * 1_000);
    const after = { counters: await etcdCounters(etcd), costs: costs(engines, etcd, groups), atMs: performance.now() };
    const share = (at: number) =>
      rounded(((after.costs[at]!.cpuMs - before.costs[at]!.cpuMs) / (after.atMs - before.atMs)) * 100);
    const changes = new Changes(etcd.address, groups);
    const delays = await changes.many(count);
    const anewMs = await changes.untilAll(count, () => engines[0]!.child.kill("SIGKILL"));
    await changes.close();
    return figuresOf(((after.counters.proposals - before.counters.proposals) * 60) / seconds, null, "proposals/min", {
      ...{ machines: count, engines: ENGINES, seconds, target: 0 },
      beginMs: Math.round(beginMs),
      revisions: after.counters.revision - before.counters.revision,
      engine: {
        percentOfACore: engines.map((_, at) => share(at)),
        rssMiB: engines.map((_, at) => rounded(after.costs[at]!.rssMiB)),
        // Until all were there, their own start included.
        cpuMsPerAgent: rounded(engines.reduce((sum, _, at) => sum + before.costs[at]!.cpuMs, 0) / count),
      },
      etcd: {
        percentOfACore: share(ENGINES),
        rssMiB: rounded(after.costs[ENGINES]!.rssMiB),
        watchers: await watchers(etcd),
      },
      // Of one agent; they are not what is measured, but they have to keep up.
      agent: { percentOfACore: rounded(groups.reduce((sum, _, at) => sum + share(ENGINES + 1 + at), 0) / count) },
      changeToAllMs: {
        p50: percentile(delays, 0.5),
        p99: percentile(delays, 0.99),
        max: percentile(delays, 1),
        reached: `${delays.length} of ${count * CHANGES}`,
      },
      // One engine is killed: until a change has reached all agents again.
      engineLostMs: Math.round(anewMs),
    });
  } finally {
    for (const group of groups) if (group.connected) group.send("stop");
    await Promise.all(groups.map((group) => (group.exitCode === null ? once(group, "exit") : null)));
    for (const { child } of engines) child.kill("SIGTERM");
    const isOver = ({ exitCode, signalCode }: ChildProcess) => exitCode !== null || signalCode !== null;
    await Promise.all(engines.map(({ child }) => (isOver(child) ? null : once(child, "exit"))));
    await etcd.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

function newMachine(): Machine {
  const { privateKey } = generateKeyPairSync("ed25519");
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }) as string;
  return { id: randomBytes(16).toString("hex") as MachineId, pem, key: new NodeIdentity(privateKey).key };
}

/** A commit that lists these machines, released. Returns its repository. */
async function release(folder: string, address: string, machines: readonly Machine[]): Promise<string> {
  const path = join(folder, "repository");
  const git = ["git", "-C", path, "-c", "user.name=bench", "-c", "user.email=bench@localhost"];
  await mustRun(["git", "init", "-q", "-b", "main", path]);
  const stanzas = machines.map(({ id, key }, at) => `  m${at}: { id: ${id}, key: "${key}" }`);
  writeFileSync(
    join(path, "fleet.yaml"),
    `apiVersion: fleet/v1\ncluster: ${CLUSTER}\nmachines:\n${stanzas.join("\n")}\n`,
  );
  mkdirSync(join(path, "units"));
  writeFileSync(join(path, "units", ".gitkeep"), "");
  await mustRun([...git, "add", "-A"]);
  await mustRun([...git, "commit", "-q", "-m", "machines"]);
  const source = openLocalGitSource(path, "main");
  const commit = await source.fetch();
  const { spec, diagnostics } = await commitCompiler({ source, manifestPath: "fleet.yaml", sha256 })(commit);
  await source.close();
  if (spec === null) throw new Error(`the bench's own repository is refused: ${JSON.stringify(diagnostics[0])}`);
  const cluster: ClusterRecord = {
    ...{ id: CLUSTER_ID, name: CLUSTER, source: "https://git.example/bench.git", branch: "main" },
    ...{ manifest: "fleet.yaml", epoch: 1 },
  };
  const record: ReleaseRecord = {
    ...{ seq: 1, commit, specHash: spec.specHash, contentId: "c", planId: "p", parent: null },
    ...{ by: "bench", at: new Date().toISOString(), op: "bench" },
  };
  await write(address, { [keys.cluster]: encodeRecord(cluster), [keys.release]: encodeRecord(record) });
  return path;
}

async function write(address: string, values: Readonly<Record<string, string>>): Promise<void> {
  const registry = await openRegistry(address, { clock: systemClock });
  const then = Object.entries(values).map(([key, value]) => ({ kind: "put", key, value }) as const);
  await registry.txn({ when: [], then });
  await registry.close();
}

async function startEngine(folder: string, repository: string, registry: string, at: number): Promise<Engine> {
  const [program, ...words] = fleetArgv(
    ...["engine", "--registry", registry, "--source", repository, "--cluster", CLUSTER],
    ...["--state-directory", join(folder, `engine-${at}`), "--listen", `127.0.0.1:${await freePort()}`],
  ) as [string, ...string[]];
  // As its service unit has it.
  const env = { ...process.env, MALLOC_ARENA_MAX: "1" };
  const child = spawn(program, ["--max-semi-space-size=2", ...words], { stdio: ["ignore", "ignore", "pipe"], env });
  let said = "";
  for await (const line of createInterface({ input: child.stderr! })) {
    said = `${said}${line}\n`.slice(-2_000);
    const [, port, key] = /serves machines on port (\d+) with engine key (\S+)/.exec(line) ?? [];
    if (port === undefined) continue;
    child.stderr!.resume();
    return { child, port: Number(port), key: key as NodeKey };
  }
  throw new Error(`an engine did not serve: ${said}`);
}

/** Until all are there, and then nobody has had anything to say for a while. Returns how long the first took. */
async function settle(etcd: EtcdProcess, machines: number): Promise<number> {
  const started = performance.now();
  let allAtMs: number | null = null;
  for (let last = -1; ; ) {
    const counters = await etcdCounters(etcd);
    const there = present(counters);
    if (there === machines) allAtMs ??= performance.now() - started;
    if (counters.proposals === last && allAtMs !== null) return allAtMs;
    if (performance.now() - started > BEGIN_LIMIT_MS) throw new Error(`${there} of ${machines} agents are there`);
    last = counters.proposals;
    await sleep(QUIET_MS);
  }
}

function present({ keys: all }: EtcdCounters): number {
  return all.filter((key) => key.includes("/presence/")).length;
}

function costs(engines: readonly Engine[], etcd: EtcdProcess, groups: readonly ChildProcess[]) {
  return [...engines.map(({ child }) => child.pid!), etcd.pid, ...groups.map(({ pid }) => pid!)].map(processCost);
}

async function watchers(etcd: EtcdProcess): Promise<number> {
  const text = await (await fetch(`${etcd.address.replace("etcd:", "http:")}/metrics`)).text();
  return Number(/^etcd_debugging_mvcc_watcher_total (\S+)$/m.exec(text)?.[1] ?? Number.NaN);
}

/** Writes of one key, and how long they take to all agents. */
class Changes {
  readonly #registry: Promise<Registry>;
  readonly #groups: readonly ChildProcess[];

  constructor(address: string, groups: readonly ChildProcess[]) {
    this.#registry = openRegistry(address, { clock: systemClock });
    this.#groups = groups;
  }

  /** One a second. Returns how long each took to each agent, sorted. */
  async many(machines: number): Promise<readonly number[]> {
    for (let round = 0; round < CHANGES; round++) {
      await this.#write();
      await sleep(1_000);
    }
    const all: Reached[] = [];
    const limit = performance.now() + REACH_LIMIT_MS;
    while (all.length < machines * CHANGES && performance.now() < limit) {
      await sleep(100);
      all.push(...(await this.#reached()));
    }
    return all.map(({ tookMs }) => tookMs).sort((a, b) => a - b);
  }

  /** From then on until one has reached every agent. */
  async untilAll(machines: number, then: () => void): Promise<number> {
    const begunMs = nowMs();
    then();
    const counts = new Map<number, number>();
    while (nowMs() - begunMs < REACH_LIMIT_MS) {
      await this.#write();
      await sleep(250);
      for (const { sentMs, tookMs } of await this.#reached()) {
        const count = (counts.get(sentMs) ?? 0) + 1;
        counts.set(sentMs, count);
        if (count === machines) return sentMs + tookMs - begunMs;
      }
    }
    return Number.NaN;
  }

  async close(): Promise<void> {
    await (await this.#registry).close();
  }

  async #write(): Promise<void> {
    const key = `${keys.holds}${CHANGE_KEY}`;
    await (await this.#registry).txn({ when: [], then: [{ kind: "put", key, value: String(nowMs()) }] });
  }

  async #reached(): Promise<readonly Reached[]> {
    const all = this.#groups.map(async (group) => {
      group.send("report");
      return (await once(group, "message"))[0] as readonly Reached[];
    });
    return (await Promise.all(all)).flat();
  }
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function percentile(sorted: readonly number[], share: number): number {
  return rounded(sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN);
}
