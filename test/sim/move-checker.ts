import type { MachineId, UnitName } from "../../src/domain/names.ts";
import type { SimCluster } from "../../src/sim/sim-cluster.ts";

/** As the simulated engines judge losses (`SIM_LOSS`), where the manifest says nothing else. */
const GRACE_MS = 2_000;
const HOLD_MS = 8_000;
const OUTAGE_AT_PERCENT = 30;
const OUTAGE_MIN = 2;
const OUTAGE_WINDOW_MS = 24_000;
const LOSS_WINDOW_MS = 2_000;
/** An engine writes by a picture that is at most so old: its leader lease ends meanwhile, and its watches lag by 2 s. */
const PICTURE_MS = 8_000;
/** Of clocks that run a hundred millionths too fast, over any of these times. */
const DRIFT_MS = 5;
/** Units that any machine may have: nothing but a loss or a commit moves them. Units that end by themselves are not watched. */
const FREE = /^s\d+\.service$/;
const ENDS_BY_ITSELF: ReadonlySet<string> = new Set(["once.service", "tick.service", "broken.service"]);

/**
 * Whether a unit that was given to another machine had to be: protocol rules 27 and 29. Planned moves do not overlap; losses are believed
 * late, one machine at a time, and never in an outage; what has moved does not move back by itself.
 */
export class MoveChecker {
  readonly #cluster: SimCluster;
  readonly #fail: (sentence: string) => void;
  readonly #present = new Set<string>();
  readonly #absentSince = new Map<string, number>();
  /** Of those that are back: an engine that was stopped between its look and its write has seen them go, and not come. */
  readonly #lastAbsence = new Map<string, { readonly fromMs: number; readonly untilMs: number }>();
  readonly #last = new Map<string, { readonly from: string; readonly atMs: number }>();
  /** Drained in some commit: such a machine was to go, and counts for no outage. */
  readonly #drained = new Set<string>();
  #releasedMs = 0;
  #leadsSinceMs = 0;
  #leader: string | null = null;
  #batch: { readonly machine: string; readonly atMs: number } | null = null;

  constructor(cluster: SimCluster, fail: (sentence: string) => void) {
    this.#cluster = cluster;
    this.#fail = fail;
  }

  drained(machine: string): void {
    this.#drained.add(machine);
  }

  released(): void {
    this.#releasedMs = this.#nowMs;
  }

  led(machine: string): void {
    this.#leader = machine;
    this.#leadsSinceMs = this.#nowMs;
    this.#batch = null;
  }

  presence(machine: string, isPresent: boolean): void {
    if (isPresent) this.#present.add(machine);
    else if (this.#present.delete(machine)) this.#absentSince.set(machine, this.#nowMs);
    if (!isPresent) return;
    const fromMs = this.#absentSince.get(machine);
    if (fromMs !== undefined) this.#lastAbsence.set(machine, { fromMs, untilMs: this.#nowMs });
    this.#absentSince.delete(machine);
  }

  /** The registry was put back: what it shows says nothing of when machines went. */
  forget(): void {
    this.#present.clear();
    this.#absentSince.clear();
    this.#lastAbsence.clear();
    this.#last.clear();
    this.#batch = null;
    this.#releasedMs = this.#nowMs;
  }

  /** `assigned`: who has each unit, just before. */
  moved(unit: string, from: string, to: string, assigned: ReadonlyMap<string, string>): void {
    const sinceMs = this.#absentSince.get(from);
    if (this.#present.has(from)) this.#planned(unit, from, to);
    else if (sinceMs !== undefined) this.#lost(unit, from, sinceMs, assigned);
    this.#last.set(unit, { from, atMs: this.#nowMs });
  }

  #planned(unit: string, from: string, to: string): void {
    const there = this.#cluster.machines.find(({ id }) => id === from);
    const runs = there?.powered === true && there.manager.running().has(unit as UnitName);
    if (runs && !ENDS_BY_ITSELF.has(unit))
      this.#fail(`${unit} is given to ${nameOf(to)} while it runs on ${nameOf(from)}, which is there`);
    const last = this.#last.get(unit);
    if (FREE.test(unit) && last?.from === to && last.atMs > this.#releasedMs)
      this.#fail(`${unit} moves back to ${nameOf(to)} by itself`);
  }

  #lost(unit: string, from: string, sinceMs: number, assigned: ReadonlyMap<string, string>): void {
    const nowMs = this.#nowMs;
    const what = `${unit} is taken from ${nameOf(from)}`;
    const silentMs = Math.max(nowMs - sinceMs, this.#missedBeforeMs(from));
    if (silentMs < GRACE_MS - DRIFT_MS) this.#fail(`${what}, which has been missed for ${silentMs} ms only`);
    const ledMs = nowMs - this.#leadsSinceMs;
    if (ledMs < HOLD_MS - DRIFT_MS) this.#fail(`${what} by an engine that has led for ${ledMs} ms only`);
    if (this.#present.size === 0) this.#fail(`${what} though no machine is there`);
    const having = new Set([...assigned].flatMap(([held, machine]) => (FREE.test(held) ? [machine] : [])));
    const missing = [...this.#absentSince].filter(
      ([machine, since]) =>
        having.has(machine) &&
        !this.#drained.has(machine) &&
        nowMs - since > PICTURE_MS &&
        nowMs - since < OUTAGE_WINDOW_MS - PICTURE_MS,
    ).length;
    const of = this.#present.size + missing;
    if (missing >= OUTAGE_MIN && missing * 100 >= of * OUTAGE_AT_PERCENT)
      this.#fail(`${what} though ${missing} of ${of} machines are missing`);
    const batch = this.#batch;
    if (batch?.machine !== from) {
      if (batch !== null && nowMs - batch.atMs < LOSS_WINDOW_MS / 2 && !this.#mayBeLate())
        this.#fail(`${what} ${nowMs - batch.atMs} ms after the last from ${nameOf(batch.machine)}`);
      this.#batch = { machine: from, atMs: nowMs };
    }
  }

  /**
   * How long it was missed the time before, as far as a writer may have gone by that: what it compares is that the machine is not there
   * (reliability.md §3.2), which is true again. No unit is taken from one that is.
   */
  #missedBeforeMs(machine: string): number {
    const before = this.#lastAbsence.get(machine);
    return before === undefined || this.#nowMs - before.untilMs > PICTURE_MS ? 0 : before.untilMs - before.fromMs;
  }

  /** Turns are counted from the verdicts: of two that are far enough apart the first may have been written by the second or third try. */
  #mayBeLate(): boolean {
    const leader = this.#cluster.machines.find(({ id }) => id === this.#leader);
    return this.#nowMs - (leader?.engineRegistry?.unansweredMs ?? -Infinity) < LOSS_WINDOW_MS;
  }

  get #nowMs(): number {
    return this.#cluster.clock.monotonicMs();
  }
}

function nameOf(machine: string): string {
  return `m${Number.parseInt(machine as MachineId, 16)}`;
}
