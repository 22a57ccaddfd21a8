import { invariant } from "../../domain/invariant.ts";
import type { Clock } from "../../ports/clock.ts";

/** Wall time at the start: any fixed point does; a recent one keeps printed times readable. */
const EPOCH_MS = Date.UTC(2026, 0, 1);
/** More timers than this at one instant is a loop that sleeps 0 ms for ever. */
const TIMERS_PER_INSTANT_MAX = 100_000;
/** A few milliseconds of work: signals and a test's own time limit are noticed after that. */
const TURNS_PER_LOOP = 100;

interface Timer {
  /** True time, whole milliseconds. */
  dueMs: number;
  order: number;
  /** False once its sleeper was woken by a signal. */
  live: boolean;
  readonly owner: ParkingClock;
  readonly fire: () => void;
}

/** One participant's view of time. */
export interface ClientClock extends Clock {
  /** Freezes it: its timers stay silent, though time goes on for it (a stalled process, SIGSTOP). */
  pause(): void;
  /** Timers that came due meanwhile fire now, in order. */
  resume(): void;
  /** Somebody sets the wall time; no wait changes by it. */
  jump(milliseconds: number): void;
}

interface ParkingClock extends ClientClock {
  /** Keeps a timer that came due while this clock is paused; false where it is not paused. */
  park(timer: Timer): boolean;
}

/**
 * Time that moves only when told to, the same way on every run: the earliest timer fires, everything it set off settles,
 * then the next. What runs on it may await only promises and this clock, never the real world.
 */
export class VirtualClock implements Clock {
  #nowMs = 0;
  #order = 0;
  #settled = 0;
  readonly #heap: Timer[] = [];
  readonly #sleepers = new WeakMap<AbortSignal, Set<() => void>>();
  readonly #own = this.clockFor();

  wallMs(): number {
    return this.#own.wallMs();
  }

  monotonicMs(): number {
    return this.#nowMs;
  }

  sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
    return this.#own.sleep(milliseconds, signal);
  }

  /** A clock that runs `driftPpm` millionths too fast (negative: too slow) and whose wall time is off by `offsetMs`. */
  clockFor(skew: { driftPpm?: number; offsetMs?: number } = {}): ClientClock {
    const rate = 1 + (skew.driftPpm ?? 0) / 1_000_000;
    let offsetMs = skew.offsetMs ?? 0;
    const parked: Timer[] = [];
    let paused = false;
    const client: ParkingClock = {
      wallMs: () => Math.round(EPOCH_MS + offsetMs + this.#nowMs * rate),
      monotonicMs: () => this.#nowMs * rate,
      sleep: (milliseconds, signal) => this.#sleep(client, Math.ceil(Math.max(0, milliseconds) / rate), signal),
      pause: () => {
        paused = true;
      },
      resume: () => {
        paused = false;
        for (const timer of parked.splice(0)) {
          timer.dueMs = this.#nowMs;
          timer.order = this.#order++;
          this.#push(timer);
        }
      },
      jump: (milliseconds) => {
        offsetMs += milliseconds;
      },
      park: (timer) => {
        if (paused) parked.push(timer);
        return paused;
      },
    };
    return client;
  }

  /** Moves time on by that much, firing what comes due. */
  async advance(milliseconds: number): Promise<void> {
    await this.runUntil(() => false, milliseconds);
  }

  /** Moves time on until the condition holds (true) or that much time has passed (false). Looks after every timer. */
  async runUntil(condition: () => boolean, limitMs: number): Promise<boolean> {
    const endMs = this.#nowMs + Math.ceil(limitMs);
    let atThisInstant = 0;
    await this.#settle();
    while (!condition()) {
      const next = this.#heap[0];
      if (next === undefined || next.dueMs > endMs) {
        this.#nowMs = endMs;
        return condition();
      }
      this.#pop();
      if (!next.live || next.owner.park(next)) continue;
      atThisInstant = next.dueMs > this.#nowMs ? 0 : atThisInstant + 1;
      invariant(
        atThisInstant < TIMERS_PER_INSTANT_MAX,
        `time stands still at ${this.#nowMs} ms: something sleeps 0 ms in a loop`,
      );
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      next.fire();
      await this.#settle();
    }
    return true;
  }

  #sleep(owner: ParkingClock, milliseconds: number, signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      if (signal?.aborted) {
        resolve();
        return;
      }
      const sleepers = signal === undefined ? null : this.#sleepersOf(signal);
      const end = () => {
        timer.live = false;
        sleepers?.delete(end);
        resolve();
      };
      const timer: Timer = { dueMs: this.#nowMs + milliseconds, order: this.#order++, live: true, owner, fire: end };
      sleepers?.add(end);
      this.#push(timer);
    });
  }

  /** Those who sleep until it aborts: most signals last long and see many sleeps, and one listener each is half the cost of a sleep. */
  #sleepersOf(signal: AbortSignal): Set<() => void> {
    const known = this.#sleepers.get(signal);
    if (known !== undefined) return known;
    const sleepers = new Set<() => void>();
    this.#sleepers.set(signal, sleepers);
    signal.addEventListener("abort", () => {
      for (const end of sleepers) end();
    });
    return sleepers;
  }

  /**
   * Every promise chain that can go on without time passing has gone on: microtasks drain before the next tick's turn. A turn of the
   * event loop would do as well and costs a system call each; one now and then lets what watches this process have its turn.
   */
  async #settle(): Promise<void> {
    const turn = this.#settled++ % TURNS_PER_LOOP === 0 ? setImmediate : process.nextTick;
    await new Promise<void>((resolve) => void turn(resolve));
  }

  #push(timer: Timer): void {
    const heap = this.#heap;
    let at = heap.push(timer) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(timer, heap[parent]!)) break;
      heap[at] = heap[parent]!;
      at = parent;
    }
    heap[at] = timer;
  }

  #pop(): void {
    const heap = this.#heap;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    let at = 0;
    for (;;) {
      let child = at * 2 + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[at] = heap[child]!;
      at = child;
    }
    heap[at] = last;
  }
}

function isBefore(a: Timer, b: Timer): boolean {
  return a.dueMs < b.dueMs || (a.dueMs === b.dueMs && a.order < b.order);
}
