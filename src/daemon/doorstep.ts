import type { NodeKey } from "../domain/identity/node-key.ts";
import { compareText, type MachineId } from "../domain/names.ts";
import type { UnlistedMachine } from "../domain/report/engine-report.ts";
import type { Clock } from "../ports/clock.ts";

/** Told to people, who list one after the other; and what strangers may fill must be small. */
const WAITING_MAX = 16;
/** One that has not come again for so long has given up, or is in. Agents that are not let in try again every few seconds. */
const FORGOTTEN_MS = 600_000;

interface Knock extends UnlistedMachine {
  readonly lastMs: number;
}

/** Machines that dial this engine with a key that git does not list. What they say of themselves is theirs to say. */
export class Doorstep {
  readonly #clock: Clock;
  /** Who came last stands last. */
  readonly #knocks = new Map<string, Knock>();
  #changes = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** As long as this is the same, so is who waits. */
  get changes(): number {
    this.#forget();
    return this.#changes;
  }

  /** Sorted by machine. */
  waiting(): readonly UnlistedMachine[] {
    this.#forget();
    const waiting = [...this.#knocks.values()].map(({ lastMs: _, ...one }) => one);
    return waiting.sort((a, b) => compareText(a.machine, b.machine) || compareText(a.key, b.key));
  }

  knocked(machine: MachineId, key: NodeKey): void {
    const id = `${machine} ${key}`;
    const known = this.#knocks.get(id);
    const since = known?.since ?? new Date(this.#clock.wallMs()).toISOString();
    this.#knocks.delete(id);
    this.#knocks.set(id, { machine, key, since, lastMs: this.#clock.monotonicMs() });
    if (known !== undefined) return;
    this.#changes += 1;
    const [oldest] = this.#knocks.keys();
    if (this.#knocks.size > WAITING_MAX) this.#knocks.delete(oldest!);
  }

  /** Those are in now. */
  letIn(keys: { has(key: NodeKey): boolean }): void {
    for (const [id, { key }] of this.#knocks) if (keys.has(key)) this.#remove(id);
  }

  #forget(): void {
    const beforeMs = this.#clock.monotonicMs() - FORGOTTEN_MS;
    for (const [id, { lastMs }] of this.#knocks) if (lastMs < beforeMs) this.#remove(id);
  }

  #remove(id: string): void {
    this.#knocks.delete(id);
    this.#changes += 1;
  }
}
