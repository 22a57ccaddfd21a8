import { agentPrefixes } from "../codec/agent-prefixes.ts";
import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import { holdOn } from "../domain/cluster/hold.ts";
import type { Sha256, UnitName } from "../domain/names.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import { DEFAULT_AGENT_TTL_MS } from "../domain/spec/loss-defaults.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { Contact } from "../ports/contact.ts";
import type { GitSource } from "../ports/git-source.ts";
import type { HealthProbe } from "../ports/health-probe.ts";
import type { LeaseHolder } from "../ports/lease-holder.ts";
import { type Log, refusal } from "../ports/log.ts";
import type { Meter } from "../ports/meter.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Podman } from "../ports/podman.ts";
import type { Registry } from "../ports/registry.ts";
import type { Supervisor } from "../ports/supervisor.ts";
import type { UnitManager, UnitNews } from "../ports/unit-manager.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import { DriftWatch } from "../usecases/drift-watch.ts";
import { findWantedUnits } from "../usecases/find-wanted-units.ts";
import type { DetailsCache } from "../usecases/observe-units.ts";
import type { PartCompiler } from "../usecases/part-compiler.ts";
import { QuadletGate } from "../usecases/quadlet-gate.ts";
import { reconcileUnits } from "../usecases/reconcile-units.ts";
import type { RewindKeeper } from "../usecases/rewind-keeper.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import { UnitJobs } from "../usecases/unit-jobs.ts";
import { type AgentCondition, agentCondition } from "./agent-condition.ts";
import { AgentMemory } from "./agent-memory.ts";
import { ConfirmWatch } from "./confirm-watch.ts";
import { ForeignWatch } from "./foreign-watch.ts";
import { HealthWatch } from "./health-watch.ts";
import { HoldWatch } from "./hold-watch.ts";
import { IdentityGuard } from "./identity-guard.ts";
import { KeptTeller } from "./kept-teller.ts";
import { LeaseFence } from "./lease-fence.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { logTasks } from "./log-tasks.ts";
import { MachineEnvKeeper } from "./machine-env-keeper.ts";
import { type AgentIdentity, MemberAnnouncer } from "./member-announcer.ts";
import { OrderTaker } from "./order-taker.ts";
import { PassTrouble } from "./pass-trouble.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { ReleasePreparer } from "./release-preparer.ts";
import { ServicePublisher } from "./service-publisher.ts";
import { StatusPublisher } from "./status-publisher.ts";
import { StatusReporter } from "./status-reporter.ts";
import { Wakeup } from "./wakeup.ts";

/** How often the agent looks at its units although nothing woke it: drift that sent no signal is found within it. */
const TICK_MS = 5_000;
/** After a boot the registry may say that units have moved: wait this long for it before starting the last set from disk. */
const BOOT_PATIENCE_MS = 20_000;
/** Between passes at least this long, so that a storm of signals is one pass and statuses gather into one transaction. */
const PASS_INTERVAL_MS = 100;

export interface AgentPorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
  readonly compilePart: PartCompiler;
  readonly manager: UnitManager;
  readonly files: AgentFiles;
  readonly holder: LeaseHolder;
  readonly health: HealthProbe;
  readonly podman: Podman;
  /** Who shows that a change has not cut this machine off. */
  readonly contacts: readonly Contact[];
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  readonly supervisor: Supervisor<AgentCondition>;
  /** Absent: nobody measures. */
  readonly meter?: Meter;
  readonly log: Log;
  /** Absent: this machine never goes back. */
  readonly rewinds?: RewindKeeper;
  /** Who else of this process goes by the commit that is in force here. */
  readonly onRelease?: (spec: SpecPart) => void;
}

/**
 * The process on each machine: takes releases it has verified and sets that are complete, makes systemd match, says what it
 * sees. It holds no policy; deciders are in `domain`. Ending it, in whatever way, stops no unit.
 */
export class Agent {
  /** What it was asked to leave alone; whoever may reach this machine's own socket asks here. */
  readonly holds: HoldWatch;
  readonly #self: AgentIdentity;
  readonly #ports: AgentPorts;
  readonly #keys: RegistryKeys;
  readonly #wakeup: Wakeup;
  readonly #mirror: RegistryMirror;
  /** What the registry shows of this machine's statuses: our own words, that wake nobody who has not waited for them. */
  readonly #shown: RegistryMirror;
  readonly #presence: LeaseKeeper;
  readonly #identity: IdentityGuard;
  readonly #announcer: MemberAnnouncer;
  readonly #kept: KeptTeller;
  readonly #reporter: StatusReporter;
  readonly #publisher: StatusPublisher;
  readonly #services: ServicePublisher;
  readonly #jobs: UnitJobs;
  readonly #fence: LeaseFence;
  readonly #foreign: ForeignWatch;
  readonly #drift: DriftWatch;
  readonly #confirm: ConfirmWatch;
  readonly #health: HealthWatch;
  readonly #details: DetailsCache = new Map();
  readonly #machineEnv: MachineEnvKeeper;
  readonly #memory: AgentMemory;
  readonly #orders: OrderTaker;
  readonly #trouble: PassTrouble;
  readonly #quadlets: QuadletGate;
  readonly #preparer: ReleasePreparer;
  #statuses: ReadonlyMap<UnitName, StatusRecord> = new Map();

  /** `ttlMs`: of the presence lease; null: as the manifest says. */
  constructor(self: AgentIdentity, clusterName: string, ttlMs: number | null, ports: AgentPorts) {
    this.#self = self;
    this.#ports = ports;
    this.#keys = registryKeys(clusterName);
    this.#wakeup = new Wakeup(ports.clock);
    this.#memory = new AgentMemory(clusterName, ports.files, ports.log);
    this.#mirror = new RegistryMirror(
      ports.registry,
      agentPrefixes(this.#keys, self.machine),
      ports.clock,
      this.#wakeup.wake,
      // Its presence hangs on what it reads: after an outage it must be back before a lease and the grace are over.
      () => this.#presence.renewEveryMs,
    );
    const firstTtlMs = ttlMs ?? DEFAULT_AGENT_TTL_MS;
    this.#presence = new LeaseKeeper(ports.registry, ports.clock, firstTtlMs, this.#wakeup.wake);
    this.#identity = new IdentityGuard(self, this.#keys, this.#mirror, ports);
    this.#announcer = new MemberAnnouncer(self, this.#keys, () => this.#presence.ttlMs, ports);
    this.#kept = new KeptTeller(ports.registry, this.#keys, self.machine);
    this.#publisher = new StatusPublisher(ports.registry, this.#keys, self.machine, ports.clock);
    this.#services = new ServicePublisher(self, clusterName, this.#keys, ports);
    this.#shown = new RegistryMirror(ports.registry, [this.#keys.statuses(self.machine)], ports.clock, () => {
      if (this.#publisher.isWaiting) this.#wakeup.wake();
    });
    this.#health = new HealthWatch(this.#keys, self.machine, this.#shown, { ...ports, wake: this.#wakeup.wake });
    this.#fence = new LeaseFence(self.machine, this.#keys, this.#presence, this.#mirror, {
      ...ports,
      wake: this.#wakeup.wake,
    });
    if (ttlMs === null) this.#fence.lastFor(firstTtlMs);
    this.holds = new HoldWatch(self.machine, this.#keys, {
      ...ports,
      memory: ports.files.holds,
      wake: this.#wakeup.wake,
    });
    this.#foreign = new ForeignWatch(ports);
    this.#trouble = new PassTrouble(ports.clock);
    this.#machineEnv = new MachineEnvKeeper(ports.files);
    this.#quadlets = new QuadletGate({ ...ports, wake: this.#wakeup.wake });
    this.#preparer = new ReleasePreparer(self, this.#quadlets, ports);
    this.#drift = new DriftWatch(ports.clock, ports.log);
    this.#confirm = new ConfirmWatch({ ...ports, wake: this.#wakeup.wake });
    this.#jobs = new UnitJobs(ports.manager, this.#wakeup.wake);
    const hearers = {
      memory: this.#memory,
      confirm: this.#confirm,
      machineEnv: this.#machineEnv,
      onRelease: (spec: SpecPart) => {
        this.#fence.lastFor(ttlMs === null ? spec.loss.agentTtlMs : null);
        ports.onRelease?.(spec);
      },
      onSet: () => this.#drift.newOrder(),
    };
    this.#orders = new OrderTaker(self.machine, this.#keys, this.#mirror, hearers, ports);
    this.#reporter = new StatusReporter(ports.manager, this.#jobs, ports.clock);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#memory.recall();
    await this.#machineEnv.recall();
    await this.holds.recall();
    await this.#tryOrGoOn(() => this.#fence.recall(this.#memory.state.set, this.#self, this.#ports.sha256));
    const stopping = new AbortController();
    const both = AbortSignal.any([signal, stopping.signal]);
    this.#ports.manager.onChange((what) => this.#heard(what), both);
    const background = [
      this.#mirror.run(both),
      this.#shown.run(both),
      this.#presence.run(both),
      this.#confirm.run(both),
    ];
    try {
      await this.#loop(signal);
    } finally {
      stopping.abort(null);
      this.#health.end();
      await Promise.all(background);
    }
  }

  #heard(what: UnitNews): void {
    if (what === "definitions") this.#drift.lookSoon();
    this.#wakeup.wake();
  }

  async #loop(signal: AbortSignal): Promise<void> {
    const bootUntilMs = this.#ports.clock.monotonicMs() + BOOT_PATIENCE_MS;
    let againMs: number | null = 0;
    while (!signal.aborted) {
      await this.#wakeup.wait(Math.min(TICK_MS, againMs ?? TICK_MS), signal);
      if (signal.aborted) return;
      if (!this.#mirror.complete && this.#ports.clock.monotonicMs() < bootUntilMs) {
        againMs = bootUntilMs - this.#ports.clock.monotonicMs();
        continue;
      }
      againMs = await this.#passOrReport();
      await this.#ports.clock.sleep(PASS_INTERVAL_MS, signal);
    }
  }

  async #passOrReport(): Promise<number | null> {
    const { clock, meter } = this.#ports;
    const startedMs = clock.monotonicMs();
    try {
      const againMs = await this.#pass();
      meter?.observe("fleet_agent_pass_seconds", (clock.monotonicMs() - startedMs) / 1_000);
      this.#trouble.passed();
      return againMs;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      meter?.count("fleet_agent_pass_failures_total", { code: error.code });
      this.#ports.log(refusal(error));
      this.#trouble.failed(error);
      this.#say();
      await this.#tryOrGoOn(() => this.#announce());
      return 1_000;
    }
  }

  async #pass(): Promise<number | null> {
    const waitMs = await this.#identity.mustWaitMs(this.#presence.lease);
    if (waitMs !== null) {
      this.#say();
      return waitMs;
    }
    await this.#memory.become(await this.#confirm.judge(this.#memory.state));
    await this.#machineEnv.begin({ id: this.#self.machine, ...this.#self });
    await this.#orders.listen();
    await this.#tryOrGoOn(() => this.#announce());
    const placements = this.#confirm.placements(this.#memory.state);
    const found = await findWantedUnits(
      placements,
      this.#self,
      this.#orders.spec,
      this.#ports.files,
      this.#ports.sha256,
      this.#orders.earlier,
    );
    const wanted = this.#confirm.anew(found.wanted, this.#memory.state);
    await this.#confirm.learn(this.#memory.state);
    const back = await this.#fence.judge(wanted, this.#memory.state.set, this.#jobs);
    const kept = [...back.units, ...(await this.#held(wanted))];
    const notYet = await this.#quadlets.judge(wanted, new Set([...found.missing.keys(), ...kept]));
    const missing = new Map([...found.missing, ...notYet]);
    const left = new Set([...kept, ...notYet.keys()]);
    await this.#tryOrGoOn(() => this.#services.tell(wanted, this.#statuses, this.#presence.lease));
    const reconciled = await reconcileUnits(
      // Without a set (its memory is gone) nothing was said about any unit: what runs stays until one is complete again.
      this.#memory.state.set === null ? null : wanted,
      new Set([...missing.keys(), ...left]),
      { ...this.#ports, jobs: this.#jobs, details: this.#details, drift: this.#drift },
    );
    logTasks(reconciled.tasks, this.#ports.log);
    this.#health.look(wanted, reconciled.seen);
    await this.#memory.become(
      this.#confirm.ended(this.#memory.state, { tasks: reconciled.tasks, left, jobs: this.#jobs }),
    );
    // A boot without an agent starts what the machine was last reached with.
    const isKept = this.#memory.state.set !== null && !this.#confirm.isOnTrial;
    await this.#tryOrGoOn(() => this.#ports.files.saveOwned());
    await this.#tryOrGoOn(() => this.#ports.files.bootSet.afterPass(isKept));
    const placedAt = (unit: UnitName) => this.#fence.placedAt(unit);
    const told = {
      wanted,
      missing,
      refused: this.#confirm.problems(this.#memory.state),
      back: back.problems,
      idle: new Set(placements.filter(({ goal }) => goal !== "launched").map(({ unit }) => unit)),
      placedAt,
      releasePending: this.#orders.releasePending,
      health: (unit: WantedUnit) => this.#health.of(unit),
    };
    this.#statuses = await this.#reporter.report({ ...reconciled, ...told });
    this.#say();
    await this.#tryOrGoOn(() => this.#services.tell(wanted, this.#statuses, this.#presence.lease));
    return this.#publisher.publish(this.#statuses, this.#shown);
  }

  #say(): void {
    const trouble = this.#identity.problem?.code ?? this.#trouble.problem?.code ?? this.#orders.problem?.code ?? null;
    this.#ports.supervisor.turned(agentCondition(this.#memory.state, this.#statuses, trouble, this.#mirror.connected));
  }

  /** What a person asked to leave alone, also where it should go. A silent watch is no news; a lease is answered or lost. */
  async #held(wanted: readonly WantedUnit[]): Promise<UnitName[]> {
    const isNews = this.#mirror.connected && this.#presence.lease !== null;
    const holds = this.holds.current(this.#mirror.complete ? this.#mirror.entries() : null, isNews);
    await this.#tryOrGoOn(() => this.holds.note());
    if (holds.length === 0) return [];
    const names = [...wanted.map((unit) => unit.name), ...(await this.#ports.files.readOwned()).keys()];
    return names.filter((unit) => holdOn(holds, this.#self.machine, unit) !== null);
  }

  /** Neither a registry that is away nor a disk that is full keeps a unit from being repaired. */
  async #tryOrGoOn(act: () => Promise<void>): Promise<void> {
    try {
      await act();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#ports.log(refusal(error));
    }
  }

  async #announce(): Promise<void> {
    const { accepted, set, clusterId, rewound } = this.#memory.state;
    const acceptedEpoch = accepted?.records?.identity.epoch ?? 1;
    const prepared = await this.#preparer.news(this.#orders.spec, this.#memory.state);
    const news = {
      ...prepared,
      capabilities: await this.#quadlets.capabilities(),
      acceptedSeq: accepted?.seq ?? 0,
      ...(accepted === null ? {} : { acceptedCommit: accepted.commit }),
      ...(rewound === undefined ? {} : { rewound }),
      ...(acceptedEpoch > 1 ? { acceptedEpoch } : {}),
      ...(set === null ? {} : { setEpoch: set.epoch }),
      ...(clusterId === null ? {} : { cluster: clusterId }),
      problem:
        this.#trouble.problem ??
        this.#orders.problem ??
        this.#confirm.problem(this.#memory.state) ??
        prepared.problem ??
        null,
      ...(await this.#foreign.current()),
      ...this.holds.told(),
    };
    await this.#announcer.announce(news, this.#presence.lease, this.#mirror);
    await this.#kept.tell(this.#orders.kept, this.#mirror);
  }
}
