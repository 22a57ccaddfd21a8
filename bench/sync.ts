import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { openGitSource } from "../src/adapters/git/open-git-source.ts";
import { MemoryFileStore } from "../src/adapters/memory/memory-file-store.ts";
import { expireLeases } from "../src/adapters/mvcc/expire-leases.ts";
import { MvccRegistry } from "../src/adapters/mvcc/mvcc-registry.ts";
import { MvccStore } from "../src/adapters/mvcc/mvcc-store.ts";
import { randomId } from "../src/adapters/random-id.ts";
import { sha256 } from "../src/adapters/sha256.ts";
import { systemClock } from "../src/adapters/system-clock.ts";
import { registryKeys } from "../src/codec/registry-keys.ts";
import { encodeSyncAsk } from "../src/codec/sync-record.ts";
import { Engine } from "../src/daemon/engine.ts";
import type { CommitId } from "../src/domain/names.ts";
import { UNSUPERVISED } from "../src/ports/supervisor.ts";
import { applyPlan } from "../src/usecases/apply-plan.ts";
import { commitCompiler } from "../src/usecases/compile-commit.ts";
import { planCommit } from "../src/usecases/plan-commit.ts";
import { RegistryMemory } from "../src/usecases/registry-memory.ts";
import { TrustJudge } from "../src/usecases/trust-judge.ts";
import { makeTestRepository } from "../test/contract/git-repository.ts";
import { joinMachine } from "../test/pretend-machine.ts";
import { type Figures, figuresOf, interleaved, median, rounded, type Sizes } from "./figures.ts";

const CLUSTER = "bench";
const KEYS = registryKeys(CLUSTER);
const POKED = 30;
const POLLED = 10;
/** The shortest there is: a cluster's own is a minute, and what is measured is the rest. */
const INTERVAL_MS = 1_000;
const LIMIT_MS = 60_000;

/**
 * From the end of `git push` to a bare repository, served by git http-backend, to the release: the real engine in this process, over the
 * registry's own store, told by `fleet sync now`'s record. Beside it by polling, and a poll that finds nothing against `git ls-remote`.
 */
export async function benchSync(sizes: Sizes): Promise<Figures> {
  const [units, machines] = [sizes.units ?? 1_000, sizes.machines ?? 10];
  const work = makeTestRepository();
  const bare = makeTestRepository({ bare: true });
  const folder = mkdtempSync(join(tmpdir(), "fleet-bench-sync-"));
  const server = await serve(bare.path);
  const stop = new AbortController();
  const clock = systemClock;
  const store = new MvccStore();
  const registry = new MvccRegistry(store, clock);
  const running: Promise<unknown>[] = [expireLeases(store, clock, stop.signal)];
  try {
    const push = (round: number): CommitId => {
      const changed = { "units/u0.service": service(round) };
      const commit = work.commit(round === 0 ? allFiles(units) : changed, `commit ${round}`) as CommitId;
      work.git(["push", "--quiet", bare.path, "HEAD:refs/heads/main"]);
      return commit;
    };
    const first = push(0);
    const source = await openGitSource(server.url, { branch: "main", mirrorFolder: join(folder, "mirror") });
    await source.fetch();
    const compile = commitCompiler({ source, manifestPath: "fleet.yaml", sha256 });
    const trust = new TrustJudge({ source, manifestPath: "fleet.yaml", own: null });
    for (let index = 0; index < machines; index++) await joinMachine(registry, KEYS, `m${index}`, {});
    const planned = await planCommit({
      ...{ commit: first, compile, cluster: { registry, keysOf: registryKeys }, partial: null, sha256 },
    });
    if (planned.kind === "rejected")
      throw new Error(`the bench's commit does not compile: ${planned.diagnostics[0]?.saw}`);
    const place = { source, sourceName: server.url, branch: "main", manifest: "fleet.yaml", trust };
    const { plan, spec } = planned;
    await applyPlan({ ...place, registry, keys: KEYS, plan, spec, by: "bench", clock, newId: randomId, sha256 });
    const ports = {
      registry,
      source,
      trust,
      compile,
      clock,
      newId: randomId,
      sha256,
      supervisor: UNSUPERVISED,
      log: () => {},
    };
    const memory = new RegistryMemory(new MemoryFileStore(), "/state");
    const engine = new Engine(CLUSTER, { machine: "m0", leaderTtlMs: 15_000, loss: {} }, { ...ports, memory });
    running.push(engine.run(stop.signal));
    const inForce = async () => {
      const value = (await registry.list(KEYS.release, { exact: true })).entries[0]?.value;
      return value === undefined ? "" : (JSON.parse(value) as { commit: string }).commit;
    };
    const untilReleased = async (commit: CommitId, poke: boolean): Promise<number> => {
      const began = performance.now();
      if (poke) {
        const value = encodeSyncAsk({ id: randomId(), by: "bench", at: new Date().toISOString() });
        await registry.txn({ when: [], then: [{ kind: "put", key: KEYS.syncNow, value }] });
      }
      while ((await inForce()) !== commit) {
        if (performance.now() - began > LIMIT_MS) throw new Error(`commit ${commit} was not released within a minute`);
        await clock.sleep(1);
      }
      return performance.now() - began;
    };
    let round = 0;
    await untilReleased(push(++round), true);
    const [poked, polled]: [number[], number[]] = [[], []];
    for (let index = 0; index < POKED; index++) {
      poked.push(await untilReleased(push(++round), true));
      // What the engine writes for it is over before the next one.
      await clock.sleep(300);
    }
    for (let index = 0; index < POLLED; index++) polled.push(await untilReleased(push(++round), false));
    const noop = await interleaved(
      20,
      async () => void (await promisify(execFile)("git", ["ls-remote", server.url, "refs/heads/main"])),
      async () => void (await source.fetch()),
    );
    return figuresOf(median(poked), null, "ms", {
      ...{ units, machines, rounds: POKED, p99: last(poked) },
      ...{ intervalMs: INTERVAL_MS, pollMedian: rounded(median(polled)), pollMax: last(polled) },
      ...{ noop: rounded(noop.ours), lsRemote: rounded(noop.floor), noopRatio: rounded(noop.ours / noop.floor) },
    });
  } finally {
    stop.abort(null);
    await Promise.all(running);
    server.kill();
    for (const repository of [work, bare]) repository.remove();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function serve(folder: string): Promise<{ readonly url: string; kill(): void }> {
  const program = fileURLToPath(new URL("git-server-process.ts", import.meta.url));
  const child = spawn(process.execPath, [program, folder], { stdio: ["ignore", "pipe", "inherit"] });
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return { url: line.toString().trim(), kill: () => child.kill() };
}

/** The 99th percentile of so few is the worst. */
function last(values: readonly number[]): number {
  return rounded(Math.max(...values));
}

function service(round: number): string {
  return `[Service]\nExecStart=/bin/sleep infinity\nEnvironment=ROUND=${round}\n`;
}

function allFiles(units: number): Record<string, string> {
  const files: Record<string, string> = {
    "fleet.yaml": `apiVersion: fleet/v1\ncluster: ${CLUSTER}\nadmit: any\nrelease: { by: sync }\nsync: { interval: ${INTERVAL_MS}ms }\n`,
  };
  for (let index = 0; index < units; index++) files[`units/u${index}.service`] = service(0);
  return files;
}
