import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import type { MachineId, Sha256 } from "../domain/names.ts";
import { placedNow } from "../domain/placement/placed-now.ts";
import type { Placement } from "../domain/placement/placement.ts";
import { isWorthTelling, type RolloutReport, rolloutReport } from "../domain/report/rollout-report.ts";
import { stoppedWaits } from "../domain/report/stopped-waits.ts";
import { ailments } from "../domain/rollout/ailments.ts";
import { awaitedWindow } from "../domain/rollout/awaited-window.ts";
import { changedReplicas, leftToChange } from "../domain/rollout/changed-replicas.ts";
import { dueIn } from "../domain/rollout/due-in.ts";
import type { Waited } from "../domain/rollout/failures-among.ts";
import { openNow, ringGates, standsStill } from "../domain/rollout/gates.ts";
import { isCheckpoint } from "../domain/rollout/is-checkpoint.ts";
import { judgeRollout, keyOf, type RolloutSight } from "../domain/rollout/judge-rollout.ts";
import type { Settling } from "../domain/rollout/judge-settling.ts";
import type { NextWrites } from "../domain/rollout/next-writes.ts";
import type { Replica, RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { NO_ROLLOUTS, type RolloutInForce, rolloutInForce } from "../domain/rollout/rollouts.ts";
import { excusedAtStart } from "../domain/rollout/start-rollout.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, notice, warning } from "../ports/log.ts";
import type { Registry } from "../ports/registry.ts";
import { writeRollout } from "../usecases/write-rollout.ts";
import type { EngineFence } from "../usecases/write-sets.ts";
import type { Mandate } from "./mandate-keeper.ts";

export interface RolloutPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly log: Log;
}

/** What a pass sees besides the registry. */
export interface RolloutPass {
  readonly mandate: Mandate;
  /** With the statuses. */
  readonly seen: ClusterSnapshot;
  readonly machines: readonly Machine[];
  /** What goes down there goes down with a restart, and is no failure of a change. */
  readonly isLeaving: (machine: MachineId) => boolean;
  /** Where everything is to be in the end. */
  readonly wanted: readonly Placement[];
  /** Of `Admissible`. */
  readonly isKeptOut: (replica: Replica) => boolean;
  readonly next: Pick<NextWrites, "stateOf" | "changes" | "baking">;
  readonly fence: EngineFence;
}

/** For as long as a release, the machines and the places of units are the same. */
interface Extent {
  readonly mandate: Mandate;
  readonly before: ReturnType<typeof placedNow>;
  readonly machines: readonly Machine[];
  changed: readonly Replica[] | null;
  left: { readonly wanted: readonly Placement[]; readonly replicas: readonly Replica[] } | null;
}

/** A time that people are told stays as it was told while it is off by less than this. Milliseconds. */
const SAME_TIME_MS = 5_000;
/**
 * How often a rollout is looked at to which nothing happens: deadlines and windows are minutes, and what nobody looked at for longer than
 * twice this does not count as healthy.
 */
const REST_MS = 5_000;

/** How far the rollout of the release in force is, in one leader's eyes. One for each term: what it does not write down it counts anew. */
export class RolloutWatch {
  readonly #keys: RegistryKeys;
  readonly #ports: RolloutPorts;
  #now: { readonly record: RolloutRecord; readonly stored: RolloutRecord | null; readonly modRevision: number } | null =
    null;
  #waited: Waited = new Map();
  #lookedAtMs: number | null = null;
  /** What this leader has watched come up, by replica and version: nothing settles twice. */
  readonly #watched = new Set<string>();
  #watchedOf: readonly Replica[] | null = null;
  #counts: { readonly changed: number; readonly left: number } | null = null;
  /** The ring whose window it waits for. */
  #awaits: number | null = null;
  #baking: NextWrites["baking"] = [];
  /** What of a rollout does not depend on how units do. */
  #extent: Extent | null = null;
  #since: { readonly key: string; readonly atMs: number } = { key: "", atMs: 0 };
  readonly #until = new Map<string, number>();

  constructor(keys: RegistryKeys, ports: RolloutPorts) {
    this.#keys = keys;
    this.#ports = ports;
  }

  /** What people are told of it; null where it is done, or goes on and has only begun. */
  report({ spec }: Mandate): RolloutReport | null {
    if (this.#now === null) return null;
    const { record } = this.#now;
    const nowMs = this.#ports.clock.monotonicMs();
    const key = `${record.release.seq} ${record.phase}`;
    if (this.#since.key !== key) this.#since = { key, atMs: nowMs };
    const counts = this.waitsForTime && this.#counts !== null ? { counts: this.#counts } : {};
    const waits = { awaits: this.#awaits, baking: this.#baking };
    const report = rolloutReport({ record, spec, ...waits, ...counts }, this.#timeOf);
    return report !== null && isWorthTelling(report, nowMs - this.#since.atMs) ? report : null;
  }

  /** What waits because it stands still, for people. */
  waits({ spec }: Mandate, snapshot: ClusterSnapshot, machines: readonly Machine[], wanted: readonly Placement[]) {
    const record = this.#now?.record;
    if (record === undefined || !standsStill(record)) return [];
    const left = leftToChange({ spec, machines, sha256: this.#ports.sha256 }, placedNow(snapshot), wanted);
    return stoppedWaits(record, left);
  }

  /** The record by which a pass is made: what was written last, with what has been counted since. */
  begin(snapshot: ClusterSnapshot, { release }: Mandate): RolloutInForce {
    const found = rolloutInForce(snapshot.rollouts ?? NO_ROLLOUTS, release, this.#time());
    const known = this.#now;
    const isOurs = !found.isNew && known?.modRevision === found.modRevision && known.record.release.seq === release.seq;
    if (isOurs) return { ...found, record: known.record };
    if (known?.record.release.seq !== release.seq) this.#forget();
    this.#now = { record: found.record, stored: found.isNew ? null : found.record, modRevision: found.modRevision };
    return found;
  }

  /** Whether anything of it depends on how units do. */
  isWatching({ record, isNew }: RolloutInForce): boolean {
    return isNew || record.phase === "rolling" || record.phase === "rolling-back" || record.phase === "held";
  }

  /** Whether somebody has given it an order that is not carried out. */
  isTold({ record, order }: RolloutInForce): boolean {
    return order !== null && order.revision > record.orderRevision;
  }

  /** Whether time alone may bring something: a deadline, a soak time, a window. */
  get waitsForTime(): boolean {
    const phase = this.#now?.record.phase;
    return phase === "rolling" || phase === "rolling-back";
  }

  /** For how long nothing of it is due where nothing happens: milliseconds, infinity where it waits for no time. */
  restMs({ spec }: Mandate): number {
    if (!this.waitsForTime) return Number.POSITIVE_INFINITY;
    return Math.min(REST_MS, dueIn(this.#now!.record, spec, this.#baking));
  }

  /** Everything that was changed and that this leader has not watched yet has to be up for its time: a leader before it may have died a moment after. */
  settling(known: readonly Settling[], pass: Pick<RolloutPass, "mandate" | "seen" | "machines">): readonly Settling[] {
    const changed = this.#changed(pass);
    // Everything of it has been begun with.
    if (this.#watchedOf === changed) return known;
    this.#watchedOf = changed;
    const before = placedNow(pass.seen);
    for (const { unit, machine, hash } of known) this.#watched.add(`${unit}/${machine}/${hash}`);
    const fresh = changed.flatMap(({ unit, machine }): Settling[] => {
      const hash = before.get(unit)!.find((side) => side.machine === machine)!.hash;
      const key = `${unit}/${machine}/${hash}`;
      if (this.#watched.has(key)) return [];
      this.#watched.add(key);
      return [{ unit, machine, hash, upSinceMs: null }];
    });
    return [...known, ...fresh];
  }

  /**
   * Judges it by what this pass sees, and writes down what has to be before anything is done by it. `go`: the pass goes on as it began.
   * `again`: it is another phase, or somebody newer was there, and the next pass begins anew.
   */
  async judge(began: RolloutInForce, pass: RolloutPass): Promise<"go" | "again"> {
    const { mandate } = pass;
    const isBusy = this.isWatching(began);
    const nowMs = this.#ports.clock.monotonicMs();
    const left = isBusy ? this.#left(pass) : [];
    const record = began.isNew ? excusedAtStart(began.record, placedNow(pass.seen), pass.next) : began.record;
    const sight = this.#sight(began, record, pass, left, nowMs);
    const judged = judgeRollout(sight);
    this.#lookedAtMs = nowMs;
    this.#waited = judged.waited;
    this.#counts = { changed: sight.changed.length, left: left.length };
    this.#awaits = awaitedWindow(judged.record, left, sight.rings);
    this.#baking = pass.next.baking;
    const stored = this.#now?.stored ?? null;
    if (stored !== null && !isCheckpoint(stored, judged.record, longestMs(mandate))) {
      this.#now = { ...this.#now!, record: judged.record };
      return "go";
    }
    const { registry } = this.#ports;
    const revision = await writeRollout(
      registry,
      this.#keys,
      pass.fence,
      judged.record,
      began.modRevision,
      began.isNew ? began.outdated : [],
    );
    if (revision === null) return "again";
    this.#now = { record: judged.record, stored: judged.record, modRevision: revision };
    this.#say(began.record, judged.record);
    const isSame = judged.record.phase === began.record.phase && judged.record.openRings === began.record.openRings;
    return isSame ? "go" : "again";
  }

  /** The revision of what was written last; 0: nothing was. */
  get writtenRevision(): number {
    return this.#now?.stored === null ? 0 : (this.#now?.modRevision ?? 0);
  }

  #sight(
    began: RolloutInForce,
    record: RolloutRecord,
    pass: RolloutPass,
    left: readonly Replica[],
    nowMs: number,
  ): RolloutSight {
    const { mandate, seen, machines, next } = pass;
    const present = new Set(machines.filter(({ presence }) => presence === "present").map(({ id }) => id));
    const { base } = mandate;
    const wallMs = this.#ports.clock.wallMs();
    return {
      record,
      waited: this.#waited,
      spec: mandate.spec,
      base: base === null ? "none" : base === "unknown" ? "unreadable" : "known",
      order: began.order,
      changed: this.isWatching(began) ? this.#changed(pass) : [],
      left,
      isKeptOut: pass.isKeptOut,
      stateOf: next.stateOf,
      isAway: (machine) => !present.has(machine) || pass.isLeaving(machine),
      ailmentOf: ailments(mandate.spec, seen, placedNow(seen)),
      elapsedMs: this.#lookedAtMs === null ? 0 : nowMs - this.#lookedAtMs,
      now: this.#time(),
      rings: ringGates(mandate.spec, machines, openNow(wallMs)),
      canaries: next.baking.map(({ set, canaries }) => ({ set, replicas: canaries })),
    };
  }

  #changed(pass: Pick<RolloutPass, "mandate" | "seen" | "machines">): readonly Replica[] {
    const extent = this.#extentOf(pass);
    const { mandate, before, machines } = extent;
    const { spec, base: from } = mandate;
    extent.changed ??= changedReplicas({ spec, from, before, machines, sha256: this.#ports.sha256 });
    return extent.changed;
  }

  #left({ wanted, ...pass }: RolloutPass): readonly Replica[] {
    const extent = this.#extentOf(pass);
    if (extent.left?.wanted === wanted) return extent.left.replicas;
    const { mandate, before, machines } = extent;
    const replicas = leftToChange({ spec: mandate.spec, machines, sha256: this.#ports.sha256 }, before, wanted);
    extent.left = { wanted, replicas };
    return replicas;
  }

  #extentOf({ mandate, seen, machines }: Pick<RolloutPass, "mandate" | "seen" | "machines">): Extent {
    const before = placedNow(seen);
    const known = this.#extent;
    if (known?.mandate === mandate && known.before === before && known.machines === machines) return known;
    this.#extent = { mandate, before, machines, changed: null, left: null };
    return this.#extent;
  }

  #say(before: RolloutRecord, { release, phase, failures, noWayBack }: RolloutRecord): void {
    if (phase === before.phase) return;
    const known = new Set(before.failures.map(keyOf));
    const failed = failures
      .filter((one) => !known.has(keyOf(one)))
      .map(({ unit, machine, because }) => `${unit} on ${machine}: ${because.detail}`);
    const because = [...failed, ...(noWayBack === undefined ? [] : [noWayBack])].join("; ");
    const line = `rollout of release ${release.seq} is ${phase}${because === "" ? "" : `: ${because}`}`;
    this.#ports.log(failed.length === 0 ? notice(line) : warning(line));
  }

  #forget(): void {
    this.#waited = new Map();
    this.#watched.clear();
    this.#watchedOf = null;
    this.#lookedAtMs = null;
    this.#counts = null;
    this.#awaits = null;
    this.#until.clear();
  }

  readonly #timeOf = (key: string, leftMs: number): string => {
    const at = this.#ports.clock.wallMs() + leftMs;
    const told = this.#until.get(key);
    const kept = told !== undefined && Math.abs(told - at) < SAME_TIME_MS ? told : Math.round(at / 1_000) * 1_000;
    this.#until.set(key, kept);
    return new Date(kept).toISOString();
  };

  #time(): string {
    return new Date(this.#ports.clock.wallMs()).toISOString();
  }
}

function longestMs({ spec }: Mandate): number {
  return Math.max(
    0,
    ...(spec.rings ?? []).map(({ soakMs }) => soakMs),
    ...spec.units.map(({ rollout }) => rollout.bakeMs ?? 0),
  );
}
