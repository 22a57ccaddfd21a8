import { MemoryGitSource, MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { VirtualClock } from "../adapters/memory/virtual-clock.ts";
import type { MvccStore } from "../adapters/mvcc/mvcc-store.ts";
import { sha256 } from "../adapters/sha256.ts";
import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { type Convergence, judgeConvergence } from "../domain/cluster/convergence.ts";
import type { CommitId, MachineId } from "../domain/names.ts";
import type { ClusterSpec, LossPolicy } from "../domain/spec/cluster-spec.ts";
import { type Applied, applyPlan } from "../usecases/apply-plan.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { type PlannedCommit, planCommit } from "../usecases/plan-commit.ts";
import { readSnapshot } from "../usecases/read-snapshot.ts";
import { TrustJudge } from "../usecases/trust-judge.ts";
import { CompileOnce } from "./compile-once.ts";
import { Random } from "./random.ts";
import { type Defects, SimMachine } from "./sim-machine.ts";
import { SwitchedRegistry } from "./switched-registry.ts";

/** How late the end of a lease may be noticed, as in the embedded registry. */
const LEASE_CHECK_MS = 250;

export interface SimOptions {
  readonly seed: number;
  readonly machines: number;
  /** The first so many machines run an engine as well. */
  readonly engines: number;
  readonly cluster: string;
  readonly defects?: Defects;
  /** Thresholds of a loss that are not as `SIM_LOSS` has them. */
  readonly loss?: Partial<LossPolicy>;
}

/**
 * A whole cluster in one process on a virtual clock: the real daemons and use cases over memory adapters. The same seed gives the
 * same run, line by line.
 */
export class SimCluster {
  readonly clock = new VirtualClock();
  readonly repository = new MemoryRepository();
  readonly random: Random;
  readonly machines: readonly SimMachine[];
  readonly keys: RegistryKeys;
  /** Nobody's faults: how an operator on the registry's own machine would look at it. */
  readonly registry: SwitchedRegistry;
  readonly trace: string[] = [];
  readonly engineOperations = new Map<string, MachineId>();
  readonly #engines: number;
  readonly #compile: CommitCompiler;
  readonly #source: MemoryGitSource;
  readonly #ended = new AbortController();
  #registryStands = false;
  #ids = 0;

  constructor(options: SimOptions) {
    this.random = new Random(options.seed);
    this.keys = registryKeys(options.cluster);
    this.registry = new SwitchedRegistry(this.clock);
    this.#source = new MemoryGitSource(this.repository, "main");
    const compiles = new CompileOnce(this.repository);
    this.#compile = compiles.through(this.#source);
    this.#engines = options.engines;
    const world = {
      clock: this.clock,
      registry: this.registry,
      repository: this.repository,
      compiles,
      random: this.random,
      newId: () => this.newId(),
      log: (line: string) => this.log(line),
      cluster: options.cluster,
      engineOperations: this.engineOperations,
      defects: options.defects ?? {},
      loss: options.loss,
    };
    this.machines = Array.from({ length: options.machines }, (_, index) => new SimMachine(world, index + 1));
    void this.#expireLeases();
  }

  get store(): MvccStore {
    return this.registry.store;
  }

  /**
   * The registry has lost its quorum, or has it back: nobody reaches it, and no lease ends meanwhile. All of them have their whole
   * time then, as etcd's have after an election.
   */
  setRegistryStands(stands: boolean): void {
    this.#registryStands = stands;
    for (const machine of this.machines) machine.setRegistryAway(stands);
    if (stands) return;
    for (const lease of this.store.leases.all()) lease.deadlineMs = this.clock.monotonicMs() + lease.ttlSeconds * 1_000;
  }

  async #expireLeases(): Promise<void> {
    while (!this.#ended.signal.aborted) {
      if (!this.#registryStands) this.store.expireLeases(this.clock.monotonicMs());
      await this.clock.sleep(LEASE_CHECK_MS, this.#ended.signal);
    }
  }

  start(): void {
    for (const machine of this.machines) {
      machine.startAgent();
      if (this.hasEngine(machine)) machine.startEngine();
    }
  }

  hasEngine(machine: SimMachine): boolean {
    return this.machines.indexOf(machine) < this.#engines;
  }

  log(line: string): void {
    this.trace.push(`${(this.clock.monotonicMs() / 1000).toFixed(3)} ${line}`);
  }

  newId(): string {
    this.#ids++;
    return this.#ids.toString(16).padStart(32, "0");
  }

  /** Commits these files on main. */
  commit(files: Readonly<Record<string, string>>, subject: string): CommitId {
    return this.repository.push("main", files, subject);
  }

  plan(commit: CommitId): Promise<PlannedCommit> {
    const cluster = { registry: this.registry, keysOf: registryKeys };
    return planCommit({ commit, compile: this.#compile, cluster, partial: null, sha256 });
  }

  /** Plans the commit and makes it the release, as `fleet apply --detach` does. */
  async apply(commit: CommitId): Promise<Applied> {
    const planned = await this.plan(commit);
    if (planned.kind === "rejected") throw new Error(`the commit does not compile: ${planned.diagnostics[0]?.saw}`);
    return applyPlan({
      registry: this.registry,
      keys: this.keys,
      source: this.#source,
      trust: new TrustJudge({ source: this.#source, manifestPath: "fleet.yaml", own: null }),
      sourceName: "",
      branch: "main",
      manifest: "fleet.yaml",
      plan: planned.plan,
      spec: planned.spec,
      by: "sim",
      clock: this.clock,
      newId: () => this.newId(),
      sha256,
    });
  }

  async specAt(commit: CommitId): Promise<ClusterSpec> {
    const { spec } = await this.#compile(commit);
    if (spec === null) throw new Error(`commit ${commit} does not compile`);
    return spec;
  }

  async snapshot(): Promise<ClusterSnapshot> {
    return (await readSnapshot(this.registry, this.keys)).snapshot;
  }

  /** How far the cluster is from its release; null before the first. */
  async convergence(): Promise<Convergence | null> {
    const snapshot = await this.snapshot();
    if (snapshot.release === null) return null;
    return judgeConvergence(await this.specAt(snapshot.release.commit), snapshot, sha256);
  }

  async end(): Promise<void> {
    for (const machine of this.machines) machine.powerOff();
    await this.clock.advance(60_000);
    this.#ended.abort();
    await this.clock.advance(1_000);
  }
}
