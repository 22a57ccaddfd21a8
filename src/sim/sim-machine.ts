import { FaultyRegistry, NO_FAULTS } from "../adapters/memory/faulty-registry.ts";
import { MemoryFileStore } from "../adapters/memory/memory-file-store.ts";
import { MemoryGitSource, type MemoryRepository } from "../adapters/memory/memory-git-source.ts";
import { MemoryHealthProbe } from "../adapters/memory/memory-health-probe.ts";
import { MemoryPodman } from "../adapters/memory/memory-podman.ts";
import { MemoryUnitManager } from "../adapters/memory/memory-unit-manager.ts";
import type { ClientClock, VirtualClock } from "../adapters/memory/virtual-clock.ts";
import { sha256 } from "../adapters/sha256.ts";
import { registryKeys } from "../codec/registry-keys.ts";
import { Agent } from "../daemon/agent.ts";
import { Engine } from "../daemon/engine.ts";
import type { HoldWatch } from "../daemon/hold-watch.ts";
import type { MachineId } from "../domain/names.ts";
import type { LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { FileStore } from "../ports/file-store.ts";
import type { LeaseHolder } from "../ports/lease-holder.ts";
import type { Registry, Txn, TxnResult } from "../ports/registry.ts";
import { UNSUPERVISED } from "../ports/supervisor.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import { AgentFiles } from "../usecases/agent-files.ts";
import { registryContact, sourceContact } from "../usecases/contacts.ts";
import { RegistryMemory } from "../usecases/registry-memory.ts";
import { RewindKeeper } from "../usecases/rewind-keeper.ts";
import type { CompileOnce } from "./compile-once.ts";
import { MortalProcess } from "./mortal-process.ts";
import type { Random } from "./random.ts";
import { SimDaemon } from "./sim-daemon.ts";
import { SimLease } from "./sim-lease.ts";

export interface SimWorld {
  readonly clock: VirtualClock;
  readonly registry: Registry;
  readonly repository: MemoryRepository;
  readonly compiles: CompileOnce;
  readonly random: Random;
  readonly newId: () => string;
  readonly log: (line: string) => void;
  readonly cluster: string;
  /** Which machine's engine an operation id belongs to: for checkers, who ask whether a writer was leading. */
  readonly engineOperations: Map<string, MachineId>;
  readonly defects: Defects;
  /** Thresholds of a loss that are not as `SIM_LOSS` has them. */
  readonly loss?: Partial<LossPolicy> | undefined;
}

/** What stands between the daemons and their ports, to prove that the checkers notice a defect. Nothing does in an honest run. */
export interface Defects {
  readonly agentRegistry?: (inner: Registry, machine: MachineId) => Registry;
  readonly engineRegistry?: (inner: Registry) => Registry;
  readonly files?: (inner: FileStore) => FileStore;
  readonly manager?: (inner: UnitManager) => UnitManager;
  readonly lease?: (inner: SimLease) => SimMachine["lease"];
  readonly agentClock?: (inner: ClientClock) => Clock;
  readonly engineClock?: (inner: ClientClock) => Clock;
  readonly engineMemory?: (inner: RegistryMemory) => RegistryMemory;
  /** Thresholds by which an engine judges losses. */
  readonly loss?: Partial<LossPolicy>;
}

/** A lost machine is noticed after this long in the simulation: long against its delays, short against its length. */
const AGENT_TTL_MS = 6_000;
/** Times are shortened about as the lease is: what takes minutes in a cluster is over within a simulation. */
const SIM_LOSS: LossPolicy = {
  agentTtlMs: AGENT_TTL_MS,
  graceMs: 2_000,
  outageWindowMs: 24_000,
  lossWindowMs: 2_000,
  movesWindowMs: 20_000,
  flapWindowMs: 60_000,
  flapHoldMs: 10_000,
  flapHoldMaxMs: 40_000,
};
/** The one time after which units of a simulated cluster may ask to be stopped. */
const STOP_AFTER_MS = 2_000;

/**
 * One simulated machine: its disk, its systemd, its clock, its way to the registry, and the real agent and engine on them. A crash of
 * a daemon cuts its registry for good and leaves it there: what it still does reaches nobody, as with a process that is gone.
 */
export class SimMachine {
  readonly id: MachineId;
  readonly name: string;
  readonly files = new MemoryFileStore(() => this.clock.wallMs());
  /** What its engine keeps across restarts and reboots; `new MemoryFileStore()` is an engine with a fresh disk. */
  engineFiles = new MemoryFileStore();
  /** What its root ordered it to go back to; its agent and its engine ask. */
  readonly rewinds = new RewindKeeper(new MemoryFileStore());
  readonly manager: MemoryUnitManager;
  readonly health = new MemoryHealthProbe();
  readonly podman = new MemoryPodman(this.files);
  /** The agent's. */
  readonly clock: ClientClock;
  /** The same time, for a process that can be paused by itself. */
  readonly engineClock: ClientClock;
  readonly source: MemoryGitSource;
  readonly engineSource: MemoryGitSource;
  readonly lease: LeaseHolder & Pick<SimLease, "faultOf">;
  powered = true;
  partitioned = false;
  /** No packet of its own network's fault: the registry itself does not answer. */
  registryAway = false;
  agentPaused = false;
  enginePaused = false;
  /** Its agent cannot reach its systemd: it sees and stops nothing. */
  systemdAway = false;
  agentUp = false;
  engineUp = false;
  agentRegistry: FaultyRegistry | null = null;
  engineRegistry: FaultyRegistry | null = null;
  /** What lies on its way to the registry; set before daemons start. */
  noise = { dropRequest: 0, dropReply: 0, lateRequest: 0, delayMs: 0 };
  readonly #world: SimWorld;
  readonly #random: Random;
  #agent: SimDaemon | null = null;
  /** What somebody asks its agent on the machine's own socket; null before there was one. */
  holds: HoldWatch | null = null;
  #agentProcess: MortalProcess | null = null;
  #engine: SimDaemon | null = null;
  #boots = 0;
  #observer: () => void = () => undefined;
  #atWrite: (() => void) | null = null;

  constructor(world: SimWorld, index: number) {
    this.#world = world;
    this.name = `m${index}`;
    this.id = index.toString(16).padStart(32, "0") as MachineId;
    this.#random = world.random.fork(this.name);
    const skew = { driftPpm: this.#random.between(-100, 100) };
    this.clock = world.clock.clockFor(skew);
    this.engineClock = world.clock.clockFor(skew);
    const observed = () => this.#observer();
    // Whoever is stopped, systemd is not.
    this.manager = new MemoryUnitManager({ files: this.files, clock: world.clock.clockFor(skew), observed });
    this.source = new MemoryGitSource(world.repository, "main");
    this.engineSource = new MemoryGitSource(world.repository, "main");
    const clocks = { agent: this.clock, world: world.clock };
    const lease = new SimLease(STOP_AFTER_MS, clocks, this);
    this.lease = world.defects.lease?.(lease) ?? lease;
  }

  /** Told after every change of a unit here. */
  observe(observer: () => void): void {
    this.#observer = observer;
  }

  startAgent(): void {
    if (!this.powered || this.agentUp) return;
    this.agentUp = true;
    this.files.restartProcess();
    const registry = this.#connect(this.clock);
    this.agentRegistry = registry;
    const process = new MortalProcess(() => {
      registry.setPartitioned(true);
      this.agentUp = false;
      this.#world.log(`${this.name} agent: dies`);
    });
    this.#agentProcess = process;
    const compilePart = this.#world.compiles.partThrough(this.source);
    const self = {
      machine: this.id,
      name: this.name,
      address: `10.0.0.${this.name.slice(1)}`,
      metadata: { zone: Number(this.name.slice(1)) % 2 === 0 ? "b" : "a" },
      bootId: `boot-${this.#boots}`,
      version: "sim",
    };
    const { newId, defects } = this.#world;
    const agent = new Agent(self, this.#world.cluster, AGENT_TTL_MS, {
      registry: defects.agentRegistry?.(registry, this.id) ?? registry,
      ...{ source: this.source, trust: this.#world.compiles.trustThrough(this.source) },
      compilePart,
      manager: process.manager(defects.manager?.(this.manager) ?? this.manager),
      files: new AgentFiles(process.files(defects.files?.(this.files) ?? this.files)),
      holder: this.lease,
      health: this.health,
      podman: this.podman,
      rewinds: this.rewinds,
      contacts: [registryContact(registry, registryKeys(this.#world.cluster)), sourceContact(this.source)],
      clock: defects.agentClock?.(this.clock) ?? this.clock,
      newId,
      sha256,
      supervisor: UNSUPERVISED,
      log: ({ message }) => this.#world.log(`${this.name} agent: ${message}`),
    });
    this.holds = agent.holds;
    this.#agent = new SimDaemon((signal) => agent.run(signal));
  }

  startEngine(): void {
    if (!this.powered || this.engineUp) return;
    this.engineUp = true;
    // What was paused has gone; this is another process.
    this.setEnginePaused(false);
    const registry = this.#connect(this.engineClock);
    this.engineRegistry = registry;
    const source = this.engineSource;
    const compile = this.#world.compiles.through(source);
    const { defects } = this.#world;
    const memory = new RegistryMemory(this.engineFiles, "/var/lib/fleet-engine");
    const loss = { ...SIM_LOSS, ...this.#world.loss, ...defects.loss };
    const options = { machine: this.id, leaderTtlMs: AGENT_TTL_MS, loss };
    const engine = new Engine(this.#world.cluster, options, {
      registry: this.#pausing(defects.engineRegistry?.(registry) ?? registry),
      ...{ source, compile, trust: this.#world.compiles.trustThrough(source) },
      clock: defects.engineClock?.(this.engineClock) ?? this.engineClock,
      newId: () => this.#engineOperation(),
      sha256,
      rewinds: this.rewinds,
      memory: defects.engineMemory?.(memory) ?? memory,
      supervisor: UNSUPERVISED,
      log: ({ message }) => this.#world.log(`${this.name} engine: ${message}`),
    });
    this.#engine = new SimDaemon((signal) => engine.run(signal));
  }

  async stopAgent(): Promise<void> {
    const agent = this.#agent;
    this.#agent = null;
    await agent?.stop();
    // A paused one ends when it goes on; where it was killed, another may run by then.
    if (this.#agent === null) this.agentUp = false;
  }

  /** Gone at once; its remains are told to end, which they do when the machine's daemons go on, if those are paused. */
  crashAgent(): void {
    this.#agentProcess?.kill();
    void this.stopAgent();
  }

  /** The agent will die at one of its next calls to the machine, or in the middle of one of its next writes. */
  crashAgentSoon(where: { readonly calls: number } | { readonly diskSteps: number }): void {
    if ("calls" in where) this.#agentProcess?.dieAfter(where.calls);
    else this.files.dieAfter(where.diskSteps);
  }

  crashEngine(): void {
    this.engineRegistry?.setPartitioned(true);
    const engine = this.#engine;
    this.#engine = null;
    this.engineUp = false;
    void engine?.stop();
  }

  powerOff(): void {
    this.powered = false;
    this.crashAgent();
    this.crashEngine();
    this.manager.powerOff();
  }

  powerOn(withEngine: boolean): void {
    this.powered = true;
    this.#boots++;
    this.startAgent();
    if (withEngine) this.startEngine();
  }

  setPartitioned(partitioned: boolean): void {
    this.partitioned = partitioned;
    this.#applyReach();
  }

  setRegistryAway(away: boolean): void {
    this.registryAway = away;
    this.#applyReach();
  }

  #applyReach(): void {
    const away = this.partitioned || this.registryAway;
    // What is left of a crashed one never gets through again.
    if (this.agentUp) this.agentRegistry?.setPartitioned(away);
    if (this.engineUp) this.engineRegistry?.setPartitioned(away);
  }

  setSystemdAway(away: boolean): void {
    this.systemdAway = away;
    this.manager.setReachable(!away);
  }

  /** SIGSTOP and SIGCONT of both daemons: time goes on without them. */
  setPaused(paused: boolean): void {
    this.setAgentPaused(paused);
    this.setEnginePaused(paused);
  }

  setAgentPaused(paused: boolean): void {
    this.agentPaused = paused;
    setPaused(paused, this.agentRegistry, this.clock);
  }

  setEnginePaused(paused: boolean): void {
    this.enginePaused = paused;
    this.#atWrite = null;
    setPaused(paused, this.engineRegistry, this.engineClock);
  }

  /** SIGSTOP of the engine between its next look and what it writes by it; `then` is told. */
  pauseEngineAtWrite(then: () => void = () => undefined): void {
    this.#atWrite = then;
  }

  #pausing(inner: Registry): Registry {
    const txn = (txn: Txn): Promise<TxnResult> => {
      const then = this.#atWrite;
      if (then !== null && txn.then.some(({ kind }) => kind !== "list")) {
        this.setEnginePaused(true);
        then();
      }
      return inner.txn(txn);
    };
    return new Proxy(inner, {
      get(target, name) {
        const value: unknown = name === "txn" ? txn : target[name as keyof Registry];
        return typeof value === "function" ? value.bind(target) : value;
      },
    });
  }

  #engineOperation(): string {
    const id = this.#world.newId();
    this.#world.engineOperations.set(id, this.id);
    return id;
  }

  #connect(clock: Clock): FaultyRegistry {
    const registry = new FaultyRegistry(this.#world.registry, clock, () => this.#random.next());
    registry.faults = { ...NO_FAULTS, ...this.noise, partitioned: this.partitioned || this.registryAway };
    return registry;
  }
}

function setPaused(paused: boolean, registry: FaultyRegistry | null, clock: ClientClock): void {
  if (paused) {
    registry?.pause();
    clock.pause();
  } else {
    registry?.resume();
    clock.resume();
  }
}
