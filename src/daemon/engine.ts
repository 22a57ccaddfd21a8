import { encodeRecord } from "../codec/record.ts";
import { type RegistryKeys, registryKeys } from "../codec/registry-keys.ts";
import type { ReportRecord } from "../codec/registry-records.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, Member, Release } from "../domain/cluster/cluster-snapshot.ts";
import { judgePresence, type PresenceHistory, startPresenceHistory } from "../domain/cluster/judge-presence.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import type { MachineId, Sha256, UnitName } from "../domain/names.ts";
import { placeUnits } from "../domain/placement/place-units.ts";
import { machinesOfUnits, placedNow } from "../domain/placement/placed-now.ts";
import type { Placement, Unplaced } from "../domain/placement/placement.ts";
import { planSetWrites, type SetWrite } from "../domain/placement/plan-set-writes.ts";
import { RULES_VERSION } from "../domain/plan/plan.ts";
import type { Settling } from "../domain/rollout/judge-settling.ts";
import { globalsOf, nextWrites } from "../domain/rollout/next-writes.ts";
import type { ClusterSpec, LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { info, type Log, notice, refusal, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import type { Supervisor } from "../ports/supervisor.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import { campaign, type Leadership } from "../usecases/campaign.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { readPlan } from "../usecases/read-plan.ts";
import { writeSets } from "../usecases/write-sets.ts";
import { AbsenceWatch } from "./absence-watch.ts";
import { type EngineCondition, engineCondition } from "./engine-condition.ts";
import { LeaseKeeper } from "./lease-keeper.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { Wakeup } from "./wakeup.ts";

/** How often the leader looks although nothing woke it: silence of a machine is not an event. */
const TICK_MS = 500;
/** A leader that cannot read the release's commit for this long gives way to one that perhaps can. */
const COMMIT_PATIENCE_MS = 30_000;
/** How often it asks the source again meanwhile. */
const COMMIT_RETRY_MS = 2_000;
/** Between passes at least this long: statuses of a starting cluster arrive in storms, and none of them changes a placement. */
const PASS_INTERVAL_MS = 50;

export interface EnginePorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly compile: CommitCompiler;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  readonly supervisor: Supervisor<EngineCondition>;
  readonly log: Log;
}

export interface EngineOptions {
  /** For people: which machine leads. */
  readonly machine: string;
  /** The leader lease; also how long a failed leader is missed. */
  readonly leaderTtlMs: number;
  /** Overrides the manifest's, where a daemon is configured so (the lab). */
  readonly loss: Partial<LossPolicy>;
}

/** What the leader knows for as long as it leads. */
interface Term {
  readonly leadership: Leadership;
  readonly mirror: RegistryMirror;
  /** Followed apart from the rest, so that it wakes nobody unless a wave waits for it. */
  readonly statuses: RegistryMirror;
  waitsForStatuses: boolean;
  settling: readonly Settling[];
  readonly ended: AbortController;
  /** Begins with this leader's first full read. */
  history: PresenceHistory | null;
  /** Never decide on a view older than our own last write. */
  writtenRevision: number;
  report: string;
  readonly absences: AbsenceWatch;
}

/** The release being placed, verified and compiled, with the machines its plan chose. */
interface Mandate {
  readonly release: Release;
  readonly spec: ClusterSpec;
  /** Of the release before, where this engine placed that too: from it the effect of a change is known. */
  readonly released: ClusterSpec | null;
  readonly preferred: ReadonlyMap<UnitName, MachineId>;
}

/**
 * Decides where units run. Modes: following (another engine leads, or none can be reached), leading (holds the leader key; every
 * write compares it). It decides from a whole picture on its own tick, writes only differences, and an idle one writes nothing.
 */
export class Engine {
  readonly #options: EngineOptions;
  readonly #ports: EnginePorts;
  readonly #keys: RegistryKeys;
  readonly #wakeup: Wakeup;
  readonly #lease: LeaseKeeper;
  readonly #leaderMirror: RegistryMirror;
  #term: Term | null = null;
  #mandate: Mandate | null = null;
  #commitMissingSinceMs: number | null = null;
  #readAgainAtMs = 0;
  /** Since when a release could not be read, after resigning for it: do not campaign until it can. */
  #unfitFor: string | null = null;

  constructor(clusterName: string, options: EngineOptions, ports: EnginePorts) {
    this.#options = options;
    this.#ports = ports;
    this.#keys = registryKeys(clusterName);
    this.#wakeup = new Wakeup(ports.clock);
    this.#lease = new LeaseKeeper(ports.registry, ports.clock, options.leaderTtlMs, this.#wakeup.wake);
    this.#leaderMirror = new RegistryMirror(ports.registry, [this.#keys.leader], ports.clock, this.#wakeup.wake);
  }

  /** Whether it believes to lead; what it may write is decided by the fence of each transaction, not by this. */
  get leads(): boolean {
    return this.#term !== null;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stopping = new AbortController();
    const both = AbortSignal.any([signal, stopping.signal]);
    const background = [this.#leaderMirror.run(both), this.#lease.run(both)];
    try {
      while (!signal.aborted) {
        await this.#wakeup.wait(TICK_MS, signal);
        if (signal.aborted) break;
        await this.#step(both);
        this.#ports.supervisor.turned(engineCondition(this.#leaderMirror, this.#term, this.#mandate));
        await this.#ports.clock.sleep(PASS_INTERVAL_MS, signal);
      }
    } finally {
      this.#stepDown("stopping");
      stopping.abort();
      await Promise.all(background);
    }
  }

  async #step(signal: AbortSignal): Promise<void> {
    try {
      if (this.#term !== null && !this.#stillLeads(this.#term)) this.#stepDown("the lease or the leader key is gone");
      if (this.#term === null) await this.#campaign(signal);
      if (this.#term !== null) await this.#lead(this.#term);
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      this.#ports.log(refusal(error));
    }
  }

  #stillLeads(term: Term): boolean {
    if (this.#lease.lease === null) return false;
    const shown = this.#leaderMirror.get(this.#keys.leader);
    const known = this.#leaderMirror.revision >= term.leadership.leaderCreateRevision;
    return !known || shown?.createRevision === term.leadership.leaderCreateRevision;
  }

  async #campaign(signal: AbortSignal): Promise<void> {
    const lease = this.#lease.lease;
    const shown = this.#leaderMirror.get(this.#keys.leader);
    if (lease === null || !this.#leaderMirror.complete || (shown !== null && shown.lease !== lease)) return;
    if (this.#unfitFor !== null && !(await this.#canRead())) return;
    const leadership = await campaign(
      this.#ports.registry,
      this.#keys,
      this.#options.machine,
      lease,
      this.#ports.newId,
    );
    if (leadership === null) return;
    const ended = new AbortController();
    const mirror = new RegistryMirror(this.#ports.registry, this.#prefixes(), this.#ports.clock, this.#wakeup.wake);
    const term: Term = {
      leadership,
      mirror,
      statuses: new RegistryMirror(this.#ports.registry, [`${this.#keys.root}status/`], this.#ports.clock, () => {
        if (term.waitsForStatuses) this.#wakeup.wake();
      }),
      ended,
      history: null,
      writtenRevision: 0,
      waitsForStatuses: false,
      settling: [],
      report: "",
      absences: new AbsenceWatch(this.#ports.clock),
    };
    const both = AbortSignal.any([signal, ended.signal]);
    void mirror.run(both);
    void term.statuses.run(both);
    this.#term = term;
    this.#ports.log(notice(`leads, term ${leadership.term}`));
  }

  /** Asked again before campaigning after a resignation for an unreadable commit. */
  async #canRead(): Promise<boolean> {
    try {
      await this.#ports.source.fetch();
      this.#unfitFor = null;
      return true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return false;
    }
  }

  async #lead(term: Term): Promise<void> {
    if (!term.mirror.connected || term.mirror.revision < term.writtenRevision) return;
    const { snapshot, newerVersion } = snapshotFromEntries(this.#keys, term.mirror.entries(), term.mirror.revision);
    if (newerVersion !== null || snapshot.identity === null || snapshot.release === null) return;
    const mandate = await this.#takeMandate(term, snapshot);
    if (mandate === null) return;
    const loss = { ...mandate.spec.loss, ...this.#options.loss };
    const nowMs = this.#ports.clock.monotonicMs();
    const verdict = judgePresence(term.history ?? startPresenceHistory(nowMs), snapshot.members, nowMs, loss);
    term.history = verdict.history;
    const machines = machinesOf(mandate.spec, snapshot, verdict.lost);
    const result = placeUnits({
      spec: mandate.spec,
      machines,
      current: machinesOfUnits(placedNow(snapshot)),
      preferred: mandate.preferred,
      sha256: this.#ports.sha256,
    });
    const writes = this.#nextWrites(term, mandate, snapshot, machines, result.placements);
    if (writes.length > 0) await this.#write(term, snapshot, writes);
    else await this.#tell(term, mandate.release, null, result.unplaced, snapshot.members);
  }

  /** Statuses are read only where something is to change: they come in storms, and most of them decide nothing. */
  #nextWrites(
    term: Term,
    { spec, released }: Mandate,
    snapshot: ClusterSnapshot,
    machines: readonly Machine[],
    wanted: readonly Placement[],
  ): readonly SetWrite[] {
    const sha256 = this.#ports.sha256;
    term.waitsForStatuses = planSetWrites(wanted, globalsOf(spec, snapshot, wanted), snapshot, sha256).length > 0;
    if (!term.waitsForStatuses) return [];
    const hasStatuses = term.statuses.connected;
    const { statuses } = snapshotFromEntries(this.#keys, term.statuses.entries(), term.statuses.revision).snapshot;
    const seen = { ...snapshot, statuses };
    const { settling } = term;
    const nowMs = this.#ports.clock.monotonicMs();
    const next = nextWrites({ spec, released, snapshot: seen, hasStatuses, machines, wanted, settling, nowMs, sha256 });
    term.settling = next.settling;
    term.waitsForStatuses = next.held.length > 0;
    return next.writes;
  }

  async #write(term: Term, snapshot: ClusterSnapshot, writes: Parameters<typeof writeSets>[3]): Promise<void> {
    const fence = {
      leaderCreateRevision: term.leadership.leaderCreateRevision,
      releaseModRevision: snapshot.releaseModRevision,
    };
    const { revision, complete } = await writeSets(this.#ports.registry, this.#keys, fence, writes, this.#ports.newId);
    term.writtenRevision = Math.max(term.writtenRevision, revision);
    const units = writes.reduce((sum, write) => sum + write.changes.length, 0);
    const end = complete ? "" : ", then met somebody newer";
    this.#ports.log(info(`placed ${units} changes in ${writes.length} transactions${end}`));
  }

  async #takeMandate(term: Term, snapshot: ClusterSnapshot): Promise<Mandate | null> {
    const { release, identity } = snapshot;
    if (release === null || identity === null) return null;
    if (this.#mandate?.release.seq === release.seq && this.#mandate.release.planId === release.planId)
      return this.#mandate;
    if (this.#ports.clock.monotonicMs() < this.#readAgainAtMs) return null;
    const verdict = await acceptRelease(release, identity, null, this.#ports.source, this.#ports.compile);
    if (verdict.kind === "refuse") {
      await this.#cannotRead(term, snapshot.members, release, `${verdict.problem.code}: ${verdict.problem.detail}`);
      return null;
    }
    this.#commitMissingSinceMs = null;
    const plan = await readPlan(this.#ports.registry, this.#keys, release.planId);
    // Of other rules it may wish for what these would not decide: then the engine decides itself.
    const planned = plan?.rules === RULES_VERSION ? plan.placements : [];
    const preferred = new Map(planned.map((placement) => [placement.unit, placement.machine]));
    const last = this.#mandate;
    const released = last?.spec.specHash === verdict.spec.specHash ? last.released : (last?.spec ?? null);
    this.#mandate = { release, spec: verdict.spec, released, preferred };
    this.#ports.log(notice(`places release ${release.seq}, commit ${release.commit}`));
    return this.#mandate;
  }

  /** Never places from an older spec: says why, and after a while lets an engine lead that can read the commit. */
  async #cannotRead(term: Term, members: readonly Member[], release: Release, problem: string): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#commitMissingSinceMs ??= nowMs;
    this.#readAgainAtMs = nowMs + COMMIT_RETRY_MS;
    await this.#tell(term, release, problem, [], members);
    if (nowMs - this.#commitMissingSinceMs < COMMIT_PATIENCE_MS) return;
    this.#commitMissingSinceMs = null;
    this.#unfitFor = release.commit;
    await this.#ports.registry.txn({
      when: [{ key: this.#keys.leader, target: "create", is: "=", value: term.leadership.leaderCreateRevision }],
      then: [{ kind: "delete", key: this.#keys.leader }],
    });
    this.#stepDown(problem);
  }

  /** The engine's word to people, on change only, under its lease: it goes with the engine. */
  async #tell(
    term: Term,
    release: Release,
    problem: string | null,
    unplaced: readonly Unplaced[],
    members: readonly Member[],
  ): Promise<void> {
    const lease = this.#lease.lease;
    const absent = term.absences.current(members);
    const report: ReportRecord = {
      leader: this.#options.machine,
      releaseSeq: release.seq,
      problem,
      unplaced: [...unplaced],
      ...(absent.length === 0 ? {} : { absent }),
    };
    const text = encodeRecord(report);
    if (lease === null || term.report === text) return;
    if (problem !== null) this.#ports.log(warning(problem));
    await this.#ports.registry.txn({
      when: [{ key: this.#keys.leader, target: "create", is: "=", value: term.leadership.leaderCreateRevision }],
      then: [{ kind: "put", key: this.#keys.report, value: text, lease }],
    });
    term.report = text;
  }

  #stepDown(because: string): void {
    if (this.#term === null) return;
    this.#ports.log(notice(`leads no more, term ${this.#term.leadership.term}: ${because}`));
    this.#term.ended.abort();
    this.#term = null;
    this.#mandate = null;
  }

  #prefixes(): string[] {
    const { root, cluster, release } = this.#keys;
    return [
      cluster,
      release,
      ...["assign/", "placements/", "members/", "presence/"].map((prefix) => `${root}${prefix}`),
    ];
  }
}
