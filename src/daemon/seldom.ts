import type { Clock } from "../ports/clock.ts";

/** What strangers may fill is small; who makes more of them is told of again a little too early. */
const REMEMBERED_MAX = 100;

/** Says of each thing whether it is time to say it again: what others repeat as often as they like must not fill a journal. */
export class Seldom {
  readonly #clock: Clock;
  readonly #everyMs: number;
  readonly #saidMs = new Map<string, number>();

  constructor(clock: Clock, everyMs: number) {
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  isDue(what: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const saidMs = this.#saidMs.get(what);
    if (saidMs !== undefined && nowMs - saidMs < this.#everyMs) return false;
    this.#saidMs.delete(what);
    this.#saidMs.set(what, nowMs);
    const [oldest] = this.#saidMs.keys();
    if (this.#saidMs.size > REMEMBERED_MAX) this.#saidMs.delete(oldest!);
    return true;
  }
}
