import { compareText, type MachineId, type UnitName } from "../names.ts";
import type { ClusterSpec } from "../spec/cluster-spec.ts";
import { failuresAmong, type Waited } from "./failures-among.ts";
import { obeyOrder } from "./obey-order.ts";
import type { ReplicaState } from "./plan-rollout.ts";
import {
  type Bake,
  FAILURES_MAX,
  type Replica,
  type RolloutFailure,
  type RolloutOrder,
  type RolloutPhase,
  type RolloutRecord,
} from "./rollout-record.ts";

/** What a leader sees of a rollout in one pass. */
export interface RolloutSight {
  readonly record: RolloutRecord;
  /** Of the last answer; empty in the first pass of a term: then everything has its whole deadline again. */
  readonly waited: Waited;
  /** The one that everything goes to: the base's while it goes back. */
  readonly spec: ClusterSpec;
  readonly base: "known" | "none" | "unreadable";
  /** The last one that was given, or null. */
  readonly order: GivenOrder | null;
  /** What this rollout has changed so far: `changedReplicas`. */
  readonly changed: readonly Replica[];
  /** What it has still to change, in rings that are open and in others: `leftToChange`. */
  readonly left: readonly Replica[];
  /** Of what is left in open rings, what waits for what stays in others: no ring waits for it. Absent: nothing. */
  readonly isKeptOut?: (replica: Replica) => boolean;
  readonly stateOf: (unit: UnitName, machine: MachineId) => ReplicaState;
  readonly isAway: (machine: MachineId) => boolean;
  readonly ailmentOf: (unit: UnitName, machine: MachineId) => Ailment;
  /** Since the last pass of this leader, in milliseconds of its monotonic clock; 0 in the first. */
  readonly elapsedMs: number;
  /** RFC 3339, for people. */
  readonly now: string;
  readonly rings: RingGates;
  /** Sets of replicas whose canaries are changed and whose others wait for them, and which of their replicas those are. */
  readonly canaries: readonly { readonly set: string; readonly replicas: readonly Replica[] }[];
}

export interface GivenOrder extends Pick<RolloutOrder, "order"> {
  /** Of the registry; rises with each order. */
  readonly revision: number;
}

/** What is the matter with a replica that is not up, in the words of its machine. */
export interface Ailment {
  /**
   * `failed`: nothing more will come of it. `ended`: it has gone down without failing, or its start has not been heard of. `fetching`: its
   * image is on the way, which takes as long as a line is slow and not as long as a service takes to be healthy.
   */
  readonly kind: "failed" | "ended" | "on-its-way" | "fetching";
  readonly detail: string;
}

/** Rings by their index, as `ringOf` has it. */
export interface RingGates {
  /** 1 where the commit has none. */
  readonly count: number;
  readonly ringOf: (machine: MachineId) => number;
  readonly soakMs: (ring: number) => number;
  /** Whether its window is open now. */
  readonly isOpen: (ring: number) => boolean;
}

/** What nobody looked at for longer than this was not seen to be healthy. Milliseconds. */
const SEEN_MAX_MS = 10_000;
/** A soak that has begun is told from none by it: time counts from the first look that finds everything healthy, not from the one before. Milliseconds. */
const SOAK_BEGINS_MS = 1;

/**
 * How far a rollout is, from what was known of it and what is seen now. A failure is a replica that this rollout changed and that failed, or
 * was not healthy within its deadline; one on a machine that is away is not judged. With the first one no other wave begins, in
 * the whole release; what becomes of it is the policy of the unit that failed. Nothing but an order or another release ends `held`,
 * and nothing at all `rolled-back` and `aborted`.
 */
export function judgeRollout(sight: RolloutSight): { readonly record: RolloutRecord; readonly waited: Waited } {
  const { record } = sight;
  const ordered = obeyOrder(record, sight.order, sight.now);
  // What was excused, or given up, counts from the next pass on.
  if (ordered.phase !== record.phase) return { record: ordered, waited: new Map() };
  switch (ordered.phase) {
    case "done":
    case "paused":
    case "aborted":
    case "rolled-back":
      return { record: ordered, waited: new Map() };
    case "rolling":
    case "held":
    case "rolling-back": {
      const { failures, waited } = failuresAmong(sight);
      const failed = withFailures(ordered, failures, sight);
      if (failed.phase !== ordered.phase || failed.phase === "held") return { record: failed, waited };
      return { record: goOn(failed, sight), waited };
    }
  }
}

function withFailures(record: RolloutRecord, found: readonly RolloutFailure[], sight: RolloutSight): RolloutRecord {
  const known = new Set(record.failures.map(keyOf));
  const fresh = found.filter((failure) => !known.has(keyOf(failure)));
  if (fresh.length === 0) return record;
  const failures = [...record.failures, ...fresh].slice(0, FAILURES_MAX);
  if (record.phase === "rolling-back") return { ...record, failures };
  const policies = new Map(sight.spec.units.map(({ name, rollout }) => [name, rollout.onFailure]));
  const asksBack = fresh.some(({ unit }) => policies.get(unit) === "rollback");
  if (asksBack && sight.base === "known") return inPhase({ ...record, failures }, "rolling-back", sight.now);
  const noWayBack = sight.base === "none" ? ("no-base" as const) : ("base-unreadable" as const);
  const held: RolloutRecord = { ...record, failures, ...(asksBack ? { noWayBack } : {}) };
  return record.phase === "held" ? held : inPhase(held, "held", sight.now);
}

/** Opens what may be opened, and ends what is over. */
function goOn(record: RolloutRecord, sight: RolloutSight): RolloutRecord {
  const health = new Health(record, sight);
  const next = { ...record, bakes: bakesNow(record, sight, health) };
  if (sight.left.length === 0 && health.isWell(sight.changed)) {
    const isBack = record.phase === "rolling-back";
    return isBack ? inPhase(next, "rolled-back", sight.now) : finished(next, sight.now);
  }
  return record.phase === "rolling" ? throughRings(next, sight, health) : next;
}

function finished({ excused: _excused, ...record }: RolloutRecord, now: string): RolloutRecord {
  return inPhase({ ...record, soakedMs: 0, bakes: [] }, "done", now);
}

/**
 * The next ring opens once the open ones have nothing left to change, what was changed has been healthy for long enough, and its window is
 * open. One in which nothing is left to change waits for no window.
 */
function throughRings(record: RolloutRecord, sight: RolloutSight, health: Health) {
  const { openRings } = record;
  const { changed, left, isKeptOut = () => false, elapsedMs, rings } = sight;
  if (openRings >= rings.count) return record;
  const isInOpen = ({ machine }: Replica) => rings.ringOf(machine) < openRings;
  if (left.some((replica) => isInOpen(replica) && !isKeptOut(replica)) || !health.isWell(changed.filter(isInOpen)))
    return { ...record, soakedMs: 0 };
  const last = openRings - 1;
  // Where nothing changed there is nothing to prove.
  const soakMs = changed.some(({ machine }) => rings.ringOf(machine) === last) ? rings.soakMs(last) : 0;
  const sinceMs = record.soakedMs === 0 ? SOAK_BEGINS_MS : record.soakedMs + Math.min(elapsedMs, SEEN_MAX_MS);
  const soakedMs = Math.min(soakMs, sinceMs);
  const isNeeded = left.some(({ machine }) => rings.ringOf(machine) === openRings);
  if (soakedMs < soakMs || (isNeeded && !rings.isOpen(openRings))) return { ...record, soakedMs };
  return { ...record, openRings: openRings + 1, soakedMs: 0 };
}

/** Sets that nobody waits for any more keep theirs. One of which a canary is not healthy begins again; time counts as in a soak. */
function bakesNow(record: RolloutRecord, { canaries, elapsedMs }: RolloutSight, health: Health): readonly Bake[] {
  const known = new Map(record.bakes.map(({ set, healthyForMs }) => [set, healthyForMs]));
  for (const { set, replicas } of canaries) {
    const sinceMs = known.get(set);
    if (!health.isWell(replicas)) known.delete(set);
    else known.set(set, sinceMs === undefined ? 0 : sinceMs + Math.min(elapsedMs, SEEN_MAX_MS));
  }
  return [...known].sort(([a], [b]) => compareText(a, b)).map(([set, healthyForMs]) => ({ set, healthyForMs }));
}

class Health {
  readonly #sight: RolloutSight;
  readonly #passedOver: ReadonlySet<string>;

  /** While it goes back, what fails then as well is told and not waited for. */
  constructor({ phase, excused = [], failures }: RolloutRecord, sight: RolloutSight) {
    this.#sight = sight;
    this.#passedOver = new Set([...excused, ...(phase === "rolling-back" ? failures : [])].map(keyOf));
  }

  /** Machines that are off must not keep a release from ever ending: what is there once they return is as if it had been there before. */
  isWell(replicas: readonly Replica[]): boolean {
    const { stateOf, isAway } = this.#sight;
    return replicas.every(
      (replica) =>
        isAway(replica.machine) ||
        this.#passedOver.has(keyOf(replica)) ||
        stateOf(replica.unit, replica.machine) === "up",
    );
  }
}

/** Whether the canaries of a set, all of them changed, have been healthy for as long as they are to be. */
export function isBaked({ bakes }: RolloutRecord, set: string, bakeMs: number): boolean {
  const bake = bakes.find((one) => one.set === set);
  return bake !== undefined && bake.healthyForMs >= bakeMs;
}

export function inPhase(record: RolloutRecord, phase: RolloutPhase, since: string): RolloutRecord {
  return { ...record, phase, since };
}

export function keyOf({ unit, machine }: Replica): string {
  return `${unit}/${machine}`;
}
