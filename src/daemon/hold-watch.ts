import { decodeHold } from "../codec/hold-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Hold } from "../domain/cluster/hold.ts";
import type { Clock } from "../ports/clock.ts";
import type { Entry } from "../ports/registry.ts";

/**
 * The holds that count now. With the registry there, they are what it shows: it ends them. Without it they are what it showed last,
 * each until its own time since this process first saw it is up: nobody holds a machine for ever by pulling a plug.
 */
export class HoldWatch {
  readonly #keys: RegistryKeys;
  readonly #clock: Clock;
  readonly #endsAtMs = new Map<string, number>();

  constructor(keys: RegistryKeys, clock: Clock) {
    this.#keys = keys;
    this.#clock = clock;
  }

  /** Of everything the registry's mirror has; `isConnected` says whether that is news. */
  current(entries: Iterable<Entry>, isConnected: boolean): Hold[] {
    const nowMs = this.#clock.monotonicMs();
    const seen = new Set<string>();
    const holds: Hold[] = [];
    for (const entry of entries) {
      const hold = entry.key.startsWith(this.#keys.holds) ? decodeHold(this.#keys, entry) : null;
      if (hold === null) continue;
      const id = `${entry.key} ${entry.modRevision}`;
      seen.add(id);
      const endsAtMs = this.#endsAtMs.get(id) ?? nowMs + hold.forMs;
      this.#endsAtMs.set(id, endsAtMs);
      if (isConnected || nowMs < endsAtMs) holds.push(hold);
    }
    for (const id of this.#endsAtMs.keys()) if (!seen.has(id)) this.#endsAtMs.delete(id);
    return holds;
  }
}
