import { type AgentState, hashesInForce } from "../codec/agent-state.ts";
import { decodeRecord, encodeRecord } from "../codec/record.ts";
import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import { MEMBER_SHAPE, type MemberRecord, type StatusRecord } from "../codec/registry-records.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import { holdOn } from "../domain/cluster/hold.ts";
import { judgeSet } from "../domain/cluster/judge-set.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import type { MachineId, Sha256, UnitName } from "../domain/names.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Blocked, WantedUnit } from "../domain/tasks/task.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { UnitManager } from "../ports/unit-manager.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import type { AgentFiles } from "../usecases/agent-files.ts";
import { blockedDetail } from "../usecases/blocked-detail.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { findWantedUnits } from "../usecases/find-wanted-units.ts";
import type { DetailsCache, Observation } from "../usecases/observe-units.ts";
import { reconcileUnits } from "../usecases/reconcile-units.ts";
import { type DescribedMachine, renderMachineEnv } from "../usecases/render-machine-env.ts";
import type { TaskProblems } from "../usecases/run-tasks.ts";
import { statusOfUnit } from "../usecases/status-of-unit.ts";
import { UnitJobs } from "../usecases/unit-jobs.ts";
import { ForeignWatch } from "./foreign-watch.ts";
import { HoldWatch } from "./hold-watch.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { StatusPublisher } from "./status-publisher.ts";
import { Wakeup } from "./wakeup.ts";

/** How often the agent looks at its units although nothing woke it: drift that sent no signal is found within it. */
const TICK_MS = 5_000;
/** After a boot the registry may say that units have moved: wait this long for it before starting the last set from disk. */
const BOOT_PATIENCE_MS = 20_000;
/** A release that could not be taken (git away, say) is tried again after this long. */
const RELEASE_RETRY_MS = 2_000;
/** Between passes at least this long, so that a storm of signals is one pass and statuses gather into one transaction. */
const PASS_INTERVAL_MS = 100;

export interface AgentIdentity {
  readonly machine: MachineId;
  readonly name: string;
  readonly address: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly bootId: string;
  readonly version: string;
}

export interface AgentPorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly compile: CommitCompiler;
  readonly manager: UnitManager;
  readonly files: AgentFiles;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  /** One line for the journal of the daemon itself. */
  readonly log: (line: string) => void;
}

/**
 * The process on each machine: takes releases it has verified and sets that are complete, makes systemd match, says what it
 * sees. It holds no policy; deciders are in `domain`. Ending it, in whatever way, stops no unit.
 */
export class Agent {
  readonly #self: AgentIdentity;
  readonly #ports: AgentPorts;
  readonly #keys: RegistryKeys;
  readonly #wakeup: Wakeup;
  readonly #mirror: RegistryMirror;
  readonly #presence: LeaseKeeper;
  readonly #publisher: StatusPublisher;
  readonly #jobs: UnitJobs;
  readonly #holds: HoldWatch;
  readonly #foreign: ForeignWatch;
  readonly #details: DetailsCache = new Map();
  readonly #said = new Map<UnitName, { readonly basis: string; readonly status: StatusRecord }>();
  #state: AgentState;
  #spec: ClusterSpec | null = null;
  #problem: StatusProblem | null = null;
  /** A newer release is on its way: what is missing now may come with it. */
  #releasePending = false;
  #releaseRetryAtMs = 0;
  #memberWritten = { text: "", revision: 0 };
  #machineEnv: string | null = null;

  constructor(self: AgentIdentity, clusterName: string, ttlMs: number, ports: AgentPorts) {
    this.#self = self;
    this.#ports = ports;
    this.#keys = registryKeys(clusterName);
    this.#wakeup = new Wakeup(ports.clock);
    this.#state = { clusterId: null, clusterName, accepted: null, set: null };
    this.#mirror = new RegistryMirror(ports.registry, this.#prefixes(), ports.clock, this.#wakeup.wake);
    this.#presence = new LeaseKeeper(ports.registry, ports.clock, ttlMs, this.#wakeup.wake);
    this.#publisher = new StatusPublisher(ports.registry, this.#keys, self.machine, ports.clock);
    this.#holds = new HoldWatch(this.#keys, ports.clock);
    this.#foreign = new ForeignWatch(ports);
    this.#jobs = new UnitJobs(ports.manager, this.#wakeup.wake);
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#state = (await this.#ports.files.readState()) ?? this.#state;
    this.#machineEnv = await this.#ports.files.readMachineEnv();
    const stopping = new AbortController();
    const both = AbortSignal.any([signal, stopping.signal]);
    this.#ports.manager.onChange(this.#wakeup.wake, both);
    const background = [this.#mirror.run(both), this.#presence.run(both)];
    try {
      await this.#loop(signal);
    } finally {
      stopping.abort();
      await Promise.all(background);
    }
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
    try {
      return await this.#pass();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#ports.log(`${error.code}: ${error.message}`);
      return 1_000;
    }
  }

  async #pass(): Promise<number | null> {
    if (this.#machineEnv === null) await this.#describeMachine({ id: this.#self.machine, ...this.#self });
    if (this.#mirror.complete) await this.#listen();
    await this.#tryOrGoOn(() => this.#announce());
    const { wanted, missing } = await findWantedUnits(
      this.#state.set?.placements ?? [],
      this.#self,
      this.#spec,
      this.#ports.files,
      this.#ports.sha256,
    );
    const { seen, tasks, blocked, problems } = await reconcileUnits(
      // Without a set (its memory is gone) nothing was said about any unit: what runs stays until one is complete again.
      this.#state.set === null ? null : wanted,
      new Set([...missing.keys(), ...(await this.#held(wanted))]),
      { ...this.#ports, jobs: this.#jobs, details: this.#details },
    );
    for (const task of tasks) {
      const what = task.kind === "reload" ? task.units.join(" ") : task.unit;
      this.#ports.log(`${task.kind} ${what}: ${JSON.stringify(task.reason)}`);
    }
    await this.#tryOrGoOn(() => this.#ports.files.bootSet.afterPass(this.#state.set !== null));
    return this.#publish(wanted, seen, problems, blocked, missing);
  }

  /** What a person asked to leave alone, also where it should go. A silent watch is no news; a lease is answered or lost. */
  async #held(wanted: readonly WantedUnit[]): Promise<UnitName[]> {
    const isNews = this.#mirror.connected && this.#presence.lease !== null;
    const holds = this.#holds.current(this.#mirror.entries(), isNews);
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
      this.#ports.log(`${error.code}: ${error.message}`);
    }
  }

  /** Takes from the registry what may be taken: a release that verifies, a set that is complete. */
  async #listen(): Promise<void> {
    const { snapshot, newerVersion } = snapshotFromEntries(this.#keys, this.#mirror.entries(), this.#mirror.revision);
    if (newerVersion !== null)
      return this.#report("newer-fleet", `the registry holds records of version ${newerVersion}`);
    if (snapshot.identity === null) return;
    if (this.#state.clusterId !== null && this.#state.clusterId !== snapshot.identity.id) {
      return this.#report(
        "other-cluster",
        `this machine belongs to cluster ${this.#state.clusterId}, not ${snapshot.identity.id}`,
      );
    }
    await this.#takeRelease(snapshot);
    const machines = this.#spec === null ? [] : machinesOf(this.#spec, snapshot, new Set());
    const asGitSees = machines.find((machine) => machine.id === this.#self.machine);
    if (asGitSees !== undefined) await this.#describeMachine(asGitSees);
    await this.#takeSet(snapshot);
  }

  async #takeRelease({ release, identity }: ClusterSnapshot): Promise<void> {
    const accepted = this.#state.accepted;
    if (release === null || identity === null) return;
    if (accepted !== null && release.seq <= accepted.seq && (this.#spec !== null || release.seq < accepted.seq)) return;
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs < this.#releaseRetryAtMs) return;
    this.#releasePending = true;
    const verdict = await acceptRelease(release, identity, accepted, this.#ports.source, this.#ports.compile);
    if (verdict.kind === "refuse") {
      this.#releaseRetryAtMs = nowMs + RELEASE_RETRY_MS;
      return this.#report(verdict.problem.code, verdict.problem.detail);
    }
    await this.#remember({ ...this.#state, clusterId: identity.id, accepted: verdict.release });
    this.#spec = verdict.spec;
    this.#releasePending = false;
    this.#problem = null;
    this.#ports.log(`accepted release ${release.seq}, commit ${release.commit}`);
  }

  async #takeSet(snapshot: ClusterSnapshot): Promise<void> {
    const shown = snapshot.sets.find((set) => set.machine === this.#self.machine) ?? null;
    const verdict = judgeSet(shown, snapshot.identity?.epoch ?? 0, this.#state.set, this.#ports.sha256);
    if (verdict.kind !== "accept" || this.#state.clusterId === null) return;
    const before = this.#state.set?.placements ?? [];
    await this.#remember({ ...this.#state, set: verdict.set });
    // The set before may be wanted again before long, and by what is in force here changes are judged; older texts come from git.
    const inForce = hashesInForce(await this.#ports.files.readOwned());
    const placed = [...before, ...verdict.set.placements].map(({ hash }) => hash);
    await this.#ports.files.keepOnly(new Set([...placed, ...inForce]));
  }

  /** For `EnvironmentFile=` of units. Git's word on this machine comes with the release; until then an earlier agent's stays. */
  async #describeMachine(described: DescribedMachine): Promise<void> {
    const text = renderMachineEnv(described);
    if (text === this.#machineEnv) return;
    await this.#ports.files.writeMachineEnv(text);
    this.#machineEnv = text;
  }

  /** On disk first, then in force. */
  async #remember(state: AgentState): Promise<void> {
    await this.#ports.files.writeState(state);
    this.#state = state;
  }

  #report(code: string, detail: string): void {
    if (this.#problem?.code !== code) this.#ports.log(`${code}: ${detail}`);
    this.#problem = { code, detail, journal: [] };
  }

  /** Keeps this machine's member record and its leased presence key as they should be; writes only what differs. */
  async #announce(): Promise<void> {
    const lease = this.#presence.lease;
    if (!this.#mirror.connected || this.#mirror.revision < this.#memberWritten.revision) return;
    const { machine, name, address, metadata, bootId, version } = this.#self;
    const shown = this.#mirror.get(this.#keys.member(machine));
    const before = shown === null ? null : decodeRecord<MemberRecord>(shown.value, MEMBER_SHAPE);
    const member: MemberRecord = {
      name,
      address,
      metadata,
      bootId,
      version,
      joined: before?.kind === "record" ? before.record.joined : new Date(this.#ports.clock.wallMs()).toISOString(),
      acceptedSeq: this.#state.accepted?.seq ?? 0,
      problem: this.#problem,
      ...(await this.#foreign.current()),
    };
    const text = encodeRecord(member);
    const presence = this.#mirror.get(this.#keys.presence(machine));
    const present = lease === null || presence?.lease === lease;
    if (shown?.value === text && present) return;
    const { revision } = await this.#ports.registry.txn({
      when: [],
      then: [
        ...(shown?.value === text ? [] : [{ kind: "put", key: this.#keys.member(machine), value: text } as const]),
        ...(present || lease === null
          ? []
          : [
              {
                kind: "put",
                key: this.#keys.presence(machine),
                value: encodeRecord({ bootId, op: this.#ports.newId() }),
                lease,
              } as const,
            ]),
      ],
    });
    this.#memberWritten = { text, revision };
  }

  async #publish(
    wanted: readonly WantedUnit[],
    seen: ReadonlyMap<UnitName, Observation>,
    problems: TaskProblems,
    blocked: readonly Blocked[],
    missing: ReadonlyMap<UnitName, StatusProblem>,
  ): Promise<number | null> {
    const because = new Map(
      blocked.map((entry) => [entry.unit, { code: entry.because.code, detail: blockedDetail(entry.because) }]),
    );
    const names = [...new Set([...wanted.map((unit) => unit.name), ...missing.keys()])].sort();
    const statuses = new Map<UnitName, StatusRecord>();
    for (const name of names) {
      const observation = seen.get(name);
      const problem = missing.get(name) ?? because.get(name) ?? problems.get(name) ?? this.#jobs.failure(name);
      if (missing.has(name) && this.#releasePending) continue;
      statuses.set(name, await this.#statusOf(name, observation ?? null, problem));
    }
    for (const name of this.#said.keys()) if (!statuses.has(name)) this.#said.delete(name);
    return this.#publisher.publish(statuses, this.#mirror);
  }

  /** The same words as long as nothing is new: a failure's journal is read once, not in every pass. */
  async #statusOf(
    name: UnitName,
    observation: Observation | null,
    problem: Pick<StatusProblem, "code" | "detail"> | null,
  ): Promise<StatusRecord> {
    const basis = JSON.stringify([observation, problem]);
    const said = this.#said.get(name);
    if (said?.basis === basis) return said.status;
    const status = await statusOfUnit(this.#ports.manager, observation, problem);
    this.#said.set(name, { basis, status });
    return status;
  }

  #prefixes(): string[] {
    const { machine } = this.#self;
    const keys = this.#keys;
    return [
      keys.cluster,
      keys.release,
      keys.set(machine),
      keys.statuses(machine),
      keys.member(machine),
      keys.presence(machine),
      keys.holds,
    ];
  }
}
