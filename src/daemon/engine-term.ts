import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type KnownEntries, type SnapshotReading, snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import type { RebootState } from "../domain/locks/reboot.ts";
import type { MachineId, Sha256 } from "../domain/names.ts";
import { machinesOfUnits, placedNow } from "../domain/placement/placed-now.ts";
import type { Placement } from "../domain/placement/placement.ts";
import { planSetWrites, type SetWrite } from "../domain/placement/plan-set-writes.ts";
import { UnitPlacer } from "../domain/placement/unit-placer.ts";
import { closedMachines } from "../domain/report/closed-machines.ts";
import { deviationsOf } from "../domain/report/deviations-of.ts";
import { keptOutWaits } from "../domain/report/kept-out-waits.ts";
import { allowedNow, canariesNow } from "../domain/rollout/gates.ts";
import { type Settling, settledAtMs } from "../domain/rollout/judge-settling.ts";
import { globalsOf, type NextWrites, nextWrites } from "../domain/rollout/next-writes.ts";
import type { LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock, RandomId } from "../ports/clock.ts";
import { info, type Log } from "../ports/log.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import { isLedBy, type Leadership } from "../usecases/campaign.ts";
import { type EngineFence, writeSets } from "../usecases/write-sets.ts";
import type { Doorstep } from "./doorstep.ts";
import type { EngineReporter } from "./engine-reporter.ts";
import { HandOffWatch } from "./hand-off-watch.ts";
import { isSaidSince } from "./is-said-since.ts";
import { LossWatch } from "./loss-watch.ts";
import { isMandate, type Mandate, type MandateKeeper } from "./mandate-keeper.ts";
import { isSameMoment, type Moment } from "./moment.ts";
import { RebootKeeper } from "./reboot-keeper.ts";
import type { RegistryGuard } from "./registry-guard.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { RolloutWatch } from "./rollout-watch.ts";
import { SetAdopter } from "./set-adopter.ts";
import type { SyncKeeper } from "./sync-keeper.ts";

export interface EngineTermPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly newId: RandomId;
  readonly sha256: Sha256;
  readonly doorstep?: Doorstep;
  readonly log: Log;
}

export interface EngineTermOptions {
  readonly leadership: Leadership;
  readonly keys: RegistryKeys;
  /** Overrides the manifest's, where a daemon is configured so (the lab). */
  readonly loss: Partial<LossPolicy>;
  readonly mandates: MandateKeeper;
  readonly guard: RegistryGuard;
  readonly reporter: EngineReporter;
  readonly sync: SyncKeeper;
  readonly wake: () => void;
}

/** What a leader knows for as long as it leads, and its pass: judge who is there, place, write the difference that may be written now. */
export class EngineTerm {
  readonly leadership: Leadership;
  readonly #options: EngineTermOptions;
  readonly #ports: EngineTermPorts;
  readonly #mirror: RegistryMirror;
  /** Followed apart from the rest, so that it wakes nobody unless a wave waits for it. */
  readonly #statuses: RegistryMirror;
  readonly #ended = new AbortController();
  readonly #known: KnownEntries = new WeakMap();
  /** Follows the cluster: most passes change a few units, or none. */
  readonly #placer: UnitPlacer;
  #reading: { readonly changes: number; readonly reading: SnapshotReading } | null = null;
  #seen: { readonly changes: number; readonly snapshot: ClusterSnapshot; readonly seen: ClusterSnapshot } | null = null;
  /** What the last pass saw, where it left nothing to do. */
  #rest: Moment | null = null;
  #restUntilMs = 0;
  #waitsForStatuses = false;
  /** A status may let a change go on. Where the end of a rollout alone waits for them, as a rule, the next tick is soon enough. */
  #isHeldUp = true;
  #settling: readonly Settling[] = [];
  /** Somebody is to let a unit go, and how long that takes is told. */
  #handsOver = false;
  #wakeAtMs: number | null = null;
  readonly #handOffs: HandOffWatch;
  readonly #adopter: SetAdopter;
  readonly #losses: LossWatch;
  readonly #rollouts: RolloutWatch;
  readonly #reboots: RebootKeeper;
  /** Never decide on a view older than our own last write. */
  #writtenRevision = 0;

  constructor(options: EngineTermOptions, ports: EngineTermPorts, signal: AbortSignal) {
    this.leadership = options.leadership;
    this.#options = options;
    this.#ports = ports;
    this.#placer = new UnitPlacer(ports.sha256);
    this.#handOffs = new HandOffWatch(ports.clock, ports.log);
    this.#rollouts = new RolloutWatch(options.keys, ports);
    this.#adopter = new SetAdopter(ports.clock, ports.sha256);
    this.#mirror = new RegistryMirror(ports.registry, prefixesOf(options.keys), ports.clock, options.wake);
    this.#statuses = new RegistryMirror(ports.registry, [`${options.keys.root}status/`], ports.clock, () => {
      if (this.#isHeldUp || !this.#statuses.connected) options.wake();
    });
    const both = AbortSignal.any([signal, this.#ended.signal]);
    const leads = isLedBy(options.keys, this.leadership);
    this.#losses = new LossWatch({ ...ports, keys: options.keys, leads, policy: options.loss });
    this.#reboots = new RebootKeeper(options.keys, leads, ports, options.wake, both);
    void this.#mirror.run(both);
    void this.#statuses.run(both);
    void options.sync.run(both);
  }

  /** What machines say of their units. */
  get statuses(): RegistryMirror {
    return this.#statuses;
  }
  end(): void {
    this.#ended.abort(null);
  }

  /** When the verdict on who is there may change although nothing happens; null: never. By the monotonic clock. */
  get wakeAtMs(): number | null {
    return this.#wakeAtMs;
  }

  /** One pass; answers why this engine should lead no more, or null. */
  async lead(lease: LeaseId): Promise<string | null> {
    this.#wakeAtMs = null;
    if (!this.#mirror.connected || this.#mirror.revision < this.#writtenRevision) return null;
    const { snapshot, newerVersion } = this.#read();
    const { release, members } = snapshot;
    if (newerVersion !== null) return null;
    const { act, problem: replaced } = await this.#options.guard.judge(snapshot, this.leadership.term);
    if (act === "resign") return replaced;
    const { sync, mandates, keys } = this.#options;
    if (act === "refuse" || release === null) sync.follow(null, snapshot, null);
    if (snapshot.identity === null || release === null) return null;
    const refuse = (problem: string) => this.#options.reporter.tell({ release, problem, unplaced: [], members }, lease);
    if (act === "refuse") {
      await refuse(replaced);
      return null;
    }
    const mandate = await mandates.take(snapshot);
    sync.follow(isMandate(mandate) ? mandates.inForce : null, snapshot, this.#mirror.get(keys.syncNow));
    if (!isMandate(mandate)) {
      const { problem, isHopeless } = mandate;
      if (problem !== null) await refuse(problem);
      return isHopeless ? problem : null;
    }
    const adopted = this.#adopter.judge(snapshot, mandate.spec, { ...mandate.spec.loss, ...this.#options.loss });
    if (adopted.kind === "wait") await refuse(adopted.problem);
    if (adopted.kind === "write") await this.#write(snapshot, adopted.writes);
    if (adopted.kind !== "none") return null;
    // At every pass, also at rest: that a machine is silent for longer is no event.
    const verdict = await this.#losses.look(mandate.spec, snapshot, this.#mirror.lastAway);
    if (verdict === null) return null;
    this.#wakeAtMs = verdict.wakeAtMs;
    if (!(await this.#reboots.look(mandate.spec))) return null;
    const { changes, connected } = this.#statuses;
    const reboots = this.#reboots.moment;
    const { doorstep } = this.#ports;
    const told = { unlisted: doorstep?.changes ?? 0, sync: sync.changes };
    const what = { snapshot, mandate, verdict, lease, reboots, ...told };
    const moment = { ...what, statuses: this.#waitsForStatuses ? changes : null };
    const isRested = this.#ports.clock.monotonicMs() >= this.#restUntilMs;
    if (this.#rest !== null && !isRested && isSameMoment(this.#rest, moment)) {
      this.#wakeAfterRest();
      return null;
    }
    this.#rest = null;
    const asCommitted = this.#losses.machines(verdict);
    const machines = this.#reboots.machines(asCommitted);
    const result = this.#placer.place({
      spec: mandate.spec,
      machines,
      current: machinesOfUnits(placedNow(snapshot)),
      preferred: mandate.preferred,
    });
    const next = await this.#nextWrites(mandate, snapshot, machines, result.placements);
    if (next === null) return null;
    const { writes, waits } = next;
    if (writes.length > 0) {
      await this.#write(snapshot, writes);
      return null;
    }
    const restarting = await this.#judgeReboots(mandate, snapshot, machines, result.placements, next);
    if (restarting === null) return null;
    const isTold = await this.#options.reporter.tell(
      {
        release,
        problem: null,
        members,
        unplaced: result.unplaced,
        waits: [...waits, ...this.#rollouts.waits(mandate, snapshot, machines, result.placements)],
        losses: verdict,
        rollout: this.#rollouts.report(mandate),
        stuckHandOffs: this.#handOffs.stuck(mandate.spec),
        closed: closedMachines(asCommitted, result.placements),
        deviations: deviationsOf(mandate.spec, machines, result.placements, mandate.preferred),
        reboots: restarting,
        unlisted: doorstep?.waiting() ?? [],
        sync: sync.report,
      },
      lease,
    );
    // Of statuses that came while it spoke the next pass hears: `changes` is what this one saw.
    const statuses = this.#waitsForStatuses ? changes : null;
    const waitsForTime = this.#handsOver || this.#reboots.waitsForTime;
    if (isTold && !waitsForTime && (connected || statuses === null)) {
      this.#rest = { ...moment, statuses };
      const untilMs = this.#ports.clock.monotonicMs() + this.#rollouts.restMs(mandate);
      const settledMs = settledAtMs(this.#settling, mandate.spec, this.#isHeldUp ? "first" : "all");
      this.#restUntilMs = Math.min(untilMs, settledMs);
      this.#wakeAfterRest();
    }
    return null;
  }

  /** At once where it ends a rollout. Where wave follows wave, the ticks gather what comes up one after the other. */
  #wakeAfterRest(): void {
    if (this.#isHeldUp || this.#restUntilMs === Number.POSITIVE_INFINITY) return;
    this.#wakeAtMs = Math.min(this.#wakeAtMs ?? Number.POSITIVE_INFINITY, this.#restUntilMs);
  }

  /** The same value for as long as nothing changes, so that what is known of a snapshot stays known. */
  #read(): SnapshotReading {
    const { changes, revision } = this.#mirror;
    if (this.#reading?.changes !== changes) {
      const reading = snapshotFromEntries(this.#options.keys, this.#mirror.entries(), revision, this.#known);
      this.#reading = { changes, reading };
    }
    return this.#reading.reading;
  }

  /** As `#read`: what is known of statuses, and of a snapshot with them, stays known. */
  #withStatuses(snapshot: ClusterSnapshot): ClusterSnapshot {
    const { changes, revision } = this.#statuses;
    const known = this.#seen?.changes === changes ? this.#seen : null;
    if (known?.snapshot === snapshot) return known.seen;
    const { statuses } =
      known?.seen ?? snapshotFromEntries(this.#options.keys, this.#statuses.entries(), revision, this.#known).snapshot;
    this.#seen = { changes, snapshot, seen: { ...snapshot, statuses } };
    return this.#seen.seen;
  }

  /**
   * Statuses are read only where something is to change, or a rollout waits for what was changed: they come in storms, and most of them
   * decide nothing. Null: the pass is over, and the next one sees what has been written.
   */
  async #nextWrites(
    mandate: Mandate,
    snapshot: ClusterSnapshot,
    machines: readonly Machine[],
    wanted: readonly Placement[],
  ): Promise<PassWrites | null> {
    const { spec, released, base } = mandate;
    const { sha256, clock } = this.#ports;
    const rollout = this.#rollouts.begin(snapshot, mandate);
    const isWatching = this.#rollouts.isWatching(rollout);
    const before = placedNow(snapshot);
    const { record } = rollout;
    const gates = { record, spec, released, base, before, wanted, machines, wallMs: clock.wallMs(), sha256 };
    const { placements: allowed, keptOut, isKeptOut } = allowedNow(gates);
    const isWriting = () => planSetWrites(allowed, globalsOf(spec, snapshot, allowed), snapshot, sha256).length > 0;
    this.#waitsForStatuses = isWatching || this.#reboots.isActive || isWriting();
    if (!this.#waitsForStatuses) {
      this.#isHeldUp = false;
      this.#handOffs.waitsFor([]);
      this.#handsOver = false;
      this.#settling = [];
      if (!this.#rollouts.isTold(rollout)) return { writes: [], waits: keptOutWaits(keptOut) };
    }
    const hasStatuses = this.#statuses.connected;
    // What was down before a rollout began must be known before it begins.
    if (rollout.isNew && !hasStatuses) return null;
    const seen = this.#withStatuses(snapshot);
    const watched = { mandate, seen, machines };
    const settling = isWatching ? this.#rollouts.settling(this.#settling, watched) : this.#settling;
    const nowMs = clock.monotonicMs();
    const next = nextWrites({
      ...{ spec, released, base, snapshot: seen, hasStatuses, machines, wanted: allowed, settling, nowMs, sha256 },
      ...{ watchesAll: isWatching, isLeaving: this.#reboots.isLeaving },
      ...canariesNow({ record, spec, base, machines, sha256 }),
    });
    this.#settling = next.settling;
    const fence = this.#fence(snapshot);
    const { isLeaving } = this.#reboots;
    const verdict = await this.#rollouts.judge(rollout, { ...watched, isLeaving, wanted, isKeptOut, next, fence });
    this.#writtenRevision = Math.max(this.#writtenRevision, this.#rollouts.writtenRevision);
    if (verdict === "again") {
      // What was not written is not on its way.
      this.#settling = settling;
      return null;
    }
    this.#handOffs.waitsFor(next.handingOver);
    this.#handsOver = next.handingOver.length > 0;
    this.#isHeldUp = next.held.length > 0 || this.#reboots.isActive;
    this.#waitsForStatuses = isWatching || this.#isHeldUp;
    return { ...next, waits: [...keptOutWaits(keptOut), ...next.waits] };
  }

  /** Null: the pass is over, and the next one sees what has been written. */
  async #judgeReboots(
    { spec, released }: Mandate,
    snapshot: ClusterSnapshot,
    machines: readonly Machine[],
    after: readonly Placement[],
    { changes = [], handingOver = [], stateOf = () => "unknown" }: PassWrites,
  ): Promise<readonly RebootState[] | null> {
    const present = new Set(machines.flatMap(({ id, presence }) => (presence === "present" ? [id] : [])));
    const isAway = (machine: MachineId) => !present.has(machine);
    const sides = changes.flatMap(({ from, to }) =>
      [from, to].flatMap((side) => (side === null ? [] : [side.machine])),
    );
    return this.#reboots.judge({
      snapshot,
      replicas: { spec, released, before: placedNow(snapshot), after, changes, isAway, stateOf },
      changing: new Set([...sides, ...handingOver.map(({ machine }) => machine)]),
      isSaidSince: (unit, machine, revision) =>
        isSaidSince(this.#statuses.get(this.#options.keys.status(machine, unit)), revision),
    });
  }

  #fence({ releaseModRevision }: ClusterSnapshot): EngineFence {
    return { leader: isLedBy(this.#options.keys, this.leadership), releaseModRevision };
  }

  async #write(snapshot: ClusterSnapshot, writes: readonly SetWrite[]): Promise<void> {
    const fence = this.#fence(snapshot);
    const { registry, newId, clock } = this.#ports;
    const at = new Date(clock.wallMs()).toISOString();
    const { revision, complete } = await writeSets(registry, this.#options.keys, fence, writes, newId, at);
    this.#writtenRevision = Math.max(this.#writtenRevision, revision);
    const units = writes.reduce((sum, write) => sum + write.changes.length, 0);
    const end = complete ? "" : ", then met somebody newer";
    this.#ports.log(info(`placed ${units} changes in ${writes.length} transactions${end}`));
  }
}

/** What a pass writes, and, where it had to look, how units do. */
type PassWrites = Pick<NextWrites, "writes" | "waits"> &
  Partial<Pick<NextWrites, "changes" | "handingOver" | "stateOf">>;

function prefixesOf({ root, cluster, release }: RegistryKeys): string[] {
  return [
    cluster,
    release,
    ...["assign/", "placements/", "members/", "presence/", "kept/", "rollout/", "rollout-orders/", "sync/"].map(
      (prefix) => `${root}${prefix}`,
    ),
  ];
}
