import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { StatusRecord } from "../codec/registry-records.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import type { Clock } from "../ports/clock.ts";
import type { Operation, Registry } from "../ports/registry.ts";
import type { RegistryMirror } from "./registry-mirror.ts";

/** At most this many statuses in one transaction; the rest follows in the next. etcd takes 128. */
const STATUSES_PER_TXN = 100;
/** A unit's status is written this often at most; a crash loop doubles its own wait up to the last. Another text is no loop. */
const UNIT_FLOOR_FIRST_MS = 1_000;
const UNIT_FLOOR_LAST_MS = 10_000;
/** States on the way to another one are published only if they last this long. */
const TRANSIENT_MS = 2_000;
const TRANSIENT_STATES: ReadonlySet<string> = new Set(["activating", "deactivating", "reloading"]);

interface Pace {
  readonly lastMs: number;
  readonly floorMs: number;
  readonly hash: StatusRecord["hash"];
}

/**
 * Writes what changed of this machine's statuses, comparing with what the registry shows of them: so a wiped prefix is written
 * again and nothing is written twice. Returns how soon it wants to be asked again because something is held back, or null.
 */
export class StatusPublisher {
  readonly #registry: Registry;
  readonly #keys: RegistryKeys;
  readonly #machine: MachineId;
  readonly #clock: Clock;
  readonly #pace = new Map<UnitName, Pace>();
  readonly #transientSince = new Map<UnitName, number>();
  /** Most statuses are the same value in every pass. */
  readonly #texts = new WeakMap<StatusRecord, string>();
  #writtenRevision = 0;
  #isWaiting = true;

  constructor(registry: Registry, keys: RegistryKeys, machine: MachineId, clock: Clock) {
    this.#registry = registry;
    this.#keys = keys;
    this.#machine = machine;
    this.#clock = clock;
  }

  /** It had to leave off, because what the registry shows was not known up to its last own write. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  async publish(statuses: ReadonlyMap<UnitName, StatusRecord>, mirror: RegistryMirror): Promise<number | null> {
    this.#isWaiting = !mirror.connected || mirror.revision < this.#writtenRevision;
    if (this.#isWaiting) return null;
    const nowMs = this.#clock.monotonicMs();
    const { due, againMs } = this.#due(statuses, mirror, nowMs);
    const gone = this.#gone(statuses, mirror);
    const operations: Operation[] = [
      ...due.map(([unit, value]): Operation => ({ kind: "put", key: this.#keys.status(this.#machine, unit), value })),
      ...gone.map((key): Operation => ({ kind: "delete", key })),
    ];
    if (operations.length === 0) return againMs;
    const now = operations.slice(0, STATUSES_PER_TXN);
    const { revision } = await this.#registry.txn({ when: [], then: now });
    this.#writtenRevision = revision;
    for (const [unit] of due.slice(0, STATUSES_PER_TXN)) this.#paced(unit, statuses.get(unit)!.hash, nowMs);
    return operations.length > now.length ? 0 : againMs;
  }

  #due(statuses: ReadonlyMap<UnitName, StatusRecord>, mirror: RegistryMirror, nowMs: number) {
    const due: [UnitName, string][] = [];
    let againMs: number | null = null;
    for (const [unit, status] of statuses) {
      const value = this.#textOf(status);
      if (mirror.get(this.#keys.status(this.#machine, unit))?.value === value) {
        this.#transientSince.delete(unit);
        continue;
      }
      const waitMs = Math.max(this.#transientWaitMs(unit, status, nowMs), this.#floorWaitMs(unit, status, nowMs));
      if (waitMs <= 0) due.push([unit, value]);
      else againMs = Math.min(againMs ?? waitMs, waitMs);
    }
    return { due, againMs };
  }

  #textOf(status: StatusRecord): string {
    const known = this.#texts.get(status);
    if (known !== undefined) return known;
    const text = encodeRecord(status);
    this.#texts.set(status, text);
    return text;
  }

  #gone(statuses: ReadonlyMap<UnitName, StatusRecord>, mirror: RegistryMirror): string[] {
    const prefix = this.#keys.statuses(this.#machine);
    const known = new Set([...statuses.keys()].map((unit) => this.#keys.status(this.#machine, unit)));
    return [...mirror.entries()].map((entry) => entry.key).filter((key) => key.startsWith(prefix) && !known.has(key));
  }

  #transientWaitMs(unit: UnitName, status: StatusRecord, nowMs: number): number {
    if (!TRANSIENT_STATES.has(status.active)) {
      this.#transientSince.delete(unit);
      return 0;
    }
    const since = this.#transientSince.get(unit) ?? nowMs;
    this.#transientSince.set(unit, since);
    return since + TRANSIENT_MS - nowMs;
  }

  #floorWaitMs(unit: UnitName, { hash }: StatusRecord, nowMs: number): number {
    const pace = this.#pace.get(unit);
    return pace === undefined || pace.hash !== hash ? 0 : pace.lastMs + pace.floorMs - nowMs;
  }

  #paced(unit: UnitName, hash: StatusRecord["hash"], nowMs: number): void {
    const pace = this.#pace.get(unit);
    const restless = pace?.hash === hash && nowMs - pace.lastMs < 2 * pace.floorMs;
    const floorMs = restless ? Math.min(UNIT_FLOOR_LAST_MS, pace.floorMs * 2) : UNIT_FLOOR_FIRST_MS;
    this.#pace.set(unit, { lastMs: nowMs, floorMs, hash });
  }
}
