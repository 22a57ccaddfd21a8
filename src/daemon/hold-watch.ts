import { decodeHold, type OwnHold, ownHold } from "../codec/hold-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { type Hold, type HoldScope, OWN_HOLDS_MAX, printHoldScope, sortedHolds } from "../domain/cluster/hold.ts";
import type { MachineId } from "../domain/names.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Entry } from "../ports/registry.ts";
import type { HoldMemory } from "../usecases/hold-memory.ts";

/**
 * How often what is left of each hold is noted while there is one. By so much, and by as long as the agent was away, a hold lasts longer
 * where the agent was restarted meanwhile: nobody's hands are in a machine that was held too long.
 */
const NOTE_EVERY_MS = 60_000;

interface Watched {
  readonly hold: Hold;
  /** By this process's monotonic clock. */
  readonly endsAtMs: number;
}

interface HoldWatchPorts {
  readonly memory: HoldMemory;
  readonly clock: Clock;
  /** Called where something was placed or ended by hand. */
  readonly wake: () => void;
}

/**
 * The holds that count now, of two origins. Those of the registry are, while it is there, what it shows: it ends them. Without it they are
 * what it showed last, each until its own time since this machine first saw it is up: nobody holds a machine for ever by pulling a plug.
 * Those placed on the machine's own socket are its own, whatever the registry says, and end by their own time. Both survive the agent:
 * what is left of them goes on from disk, and time in which no agent ran, a reboot's too, does not count.
 */
export class HoldWatch {
  readonly #machine: MachineId;
  readonly #keys: RegistryKeys;
  readonly #ports: HoldWatchPorts;
  #watched: ReadonlyMap<string, Watched> = new Map();
  #isNews = false;
  /** What the disk has, and when it was written. */
  #noted = "";
  #notedAtMs = Number.NEGATIVE_INFINITY;
  #writing: Promise<void> = Promise.resolve();
  #recalled: Promise<void> | null = null;

  constructor(machine: MachineId, keys: RegistryKeys, ports: HoldWatchPorts) {
    this.#machine = machine;
    this.#keys = keys;
    this.#ports = ports;
  }

  /** Before anything else: what an agent here was asked for before. Read once, however often this is asked. */
  recall(): Promise<void> {
    this.#recalled ??= this.#read();
    return this.#recalled;
  }

  async #read(): Promise<void> {
    const kept = await this.#ports.memory.read();
    const nowMs = this.#ports.clock.monotonicMs();
    this.#watched = new Map(kept.map(({ id, hold, leftMs }) => [id, { hold, endsAtMs: nowMs + leftMs }]));
    this.#noted = this.#ids();
    this.#notedAtMs = nowMs;
  }

  /**
   * Of everything the registry's mirror has, or null where this process has not heard of the registry yet; `isNews` says whether that is
   * how things are there now.
   */
  current(entries: Iterable<Entry> | null, isNews: boolean): Hold[] {
    const nowMs = this.#ports.clock.monotonicMs();
    const own = [...this.#watched].filter(([, { hold, endsAtMs }]) => isOwn(hold) && nowMs < endsAtMs);
    const others =
      entries === null ? [...this.#watched].filter(([, { hold }]) => !isOwn(hold)) : this.#shown(entries, nowMs);
    this.#watched = new Map([...others, ...own]);
    this.#isNews = isNews;
    return this.known();
  }

  /** All that counts, as far as this machine knows, widest first. */
  known(): Hold[] {
    const nowMs = this.#ports.clock.monotonicMs();
    const counts = ({ hold, endsAtMs }: Watched) => nowMs < endsAtMs || (this.#isNews && !isOwn(hold));
    return sortedHolds([...this.#watched.values()].filter(counts).map(({ hold }) => hold));
  }

  /** What was placed at this machine, as everybody is told in its member record; not there where there is nothing. */
  told(): { readonly holds?: readonly OwnHold[] } {
    const holds = this.own().map(ownHold);
    return holds.length === 0 ? {} : { holds };
  }

  /** What was placed at this machine and is not over, widest first. */
  own(): Hold[] {
    return this.known().filter(isOwn);
  }

  /**
   * Holds this machine or a unit on it, or holds it longer. In force at once; rejects where the disk does not take it, and then a restart
   * of the agent forgets it unless the disk takes it meanwhile. Rejects with `too-many-holds` beyond OWN_HOLDS_MAX.
   */
  async place(hold: Omit<Hold, "placedAt">): Promise<void> {
    await this.recall();
    const id = ownId(hold.scope);
    if (!this.#watched.has(id) && this.own().length >= OWN_HOLDS_MAX) {
      throw new OperationError("too-many-holds", `this machine has ${OWN_HOLDS_MAX} holds of its own already`, {
        next: "hold the whole machine, or end some",
      });
    }
    const endsAtMs = this.#ports.clock.monotonicMs() + hold.forMs;
    this.#watched = new Map([...this.#watched, [id, { hold: { ...hold, placedAt: this.#machine }, endsAtMs }]]);
    await this.#changed();
  }

  /** Whether there was one of this machine's own to end. */
  async end(scope: HoldScope): Promise<boolean> {
    await this.recall();
    const remaining = new Map(this.#watched);
    if (!remaining.delete(ownId(scope))) return false;
    this.#watched = remaining;
    await this.#changed();
    return true;
  }

  /** In every pass: what changed, and every minute what is left. One write after the other, whoever asks. */
  note(): Promise<void> {
    const writing = this.#writing.then(() => this.#write());
    this.#writing = writing.catch(() => undefined); // Whoever asked for it is told.
    return writing;
  }

  async #write(): Promise<void> {
    const nowMs = this.#ports.clock.monotonicMs();
    const ids = this.#ids();
    if (ids === this.#noted && (ids === "" || nowMs - this.#notedAtMs < NOTE_EVERY_MS)) return;
    const left = [...this.#watched].map(([id, { hold, endsAtMs }]) => ({
      id,
      hold,
      leftMs: Math.max(0, endsAtMs - nowMs),
    }));
    await this.#ports.memory.write(left);
    this.#noted = ids;
    this.#notedAtMs = nowMs;
  }

  async #changed(): Promise<void> {
    this.#notedAtMs = Number.NEGATIVE_INFINITY;
    this.#ports.wake();
    await this.note();
  }

  #shown(entries: Iterable<Entry>, nowMs: number): [string, Watched][] {
    const shown: [string, Watched][] = [];
    for (const entry of entries) {
      const hold = entry.key.startsWith(this.#keys.holds) ? decodeHold(this.#keys, entry) : null;
      if (hold === null) continue;
      const id = `${entry.key} ${entry.modRevision}`;
      shown.push([id, { hold, endsAtMs: this.#watched.get(id)?.endsAtMs ?? nowMs + hold.forMs }]);
    }
    return shown;
  }

  #ids(): string {
    return [...this.#watched.keys()].sort().join("\n");
  }
}

function isOwn(hold: Hold): boolean {
  return hold.placedAt !== undefined;
}

function ownId(scope: HoldScope): string {
  return `own ${printHoldScope(scope)}`;
}
