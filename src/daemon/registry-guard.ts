import { encodeRecord } from "../codec/record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ReportRecord } from "../codec/registry-records.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { memberAhead, type Replaced, type ShownRegistry } from "../domain/fencing/judge-replaced.ts";
import type { Clock } from "../ports/clock.ts";
import { type Log, notice, refusal, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { LeaseId, Registry } from "../ports/registry.ts";
import { readShownRegistry } from "../usecases/read-shown-registry.ts";
import type { RegistryMemory } from "../usecases/registry-memory.ts";
import { REGISTRY_REPLACED, REPLACED_NEXT, replacedDetail } from "../usecases/replaced-detail.ts";

/** How often an engine looks again at a registry it may not lead: a person has to act first, and they are not faster. */
const LOOK_AGAIN_MS = 2_000;
/**
 * How often an engine asks the registry itself how far it has come: one that follows another has no other way, and a leader's watch may
 * return to a store that was put back and has grown past it again. A read of three keys, and no write.
 */
const NOTE_EVERY_MS = 30_000;

export interface RegistryGuardPorts {
  readonly registry: Registry;
  readonly clock: Clock;
  readonly memory: RegistryMemory;
  readonly log: Log;
}

export interface GuardVerdict {
  readonly act: "go-on" | "resign" | "refuse";
  /** Empty where it goes on. */
  readonly problem: string;
}

/**
 * Keeps an engine from placing by a registry that was replaced, wiped or restored from a backup (protocol rule 13): it does not lead there,
 * says what it saw and what it remembers, and goes on once the epoch was raised, or what was there is back.
 */
export class RegistryGuard {
  readonly #machine: string;
  readonly #keys: RegistryKeys;
  readonly #ports: RegistryGuardPorts;
  #recalled = false;
  #lookAtMs = 0;
  #noteAtMs = 0;
  #said: string | null = null;

  constructor(machine: string, keys: RegistryKeys, ports: RegistryGuardPorts) {
    this.#machine = machine;
    this.#keys = keys;
    this.#ports = ports;
  }

  /** The highest term it knows of in this epoch: the next is higher. */
  get term(): number {
    return this.#ports.memory.mark?.term ?? 0;
  }

  /**
   * While this or another engine leads, whose machine may be lost with all it remembers: why the registry is not the one that was known, or
   * null where it is, or it is not yet time to ask.
   */
  async note(): Promise<string | null> {
    const { clock } = this.#ports;
    if (clock.monotonicMs() < this.#noteAtMs) return null;
    this.#noteAtMs = clock.monotonicMs() + NOTE_EVERY_MS;
    const { because } = await this.#look();
    if (because === null) await this.#save();
    return because === null ? null : problemOf(because);
  }

  /** Before campaigning, where nobody leads. */
  async mayLead(lease: LeaseId): Promise<boolean> {
    const { clock } = this.#ports;
    if (clock.monotonicMs() < this.#lookAtMs) return false;
    const { shown, because } = await this.#look();
    if (shown === null) return false;
    if (because === null) return true;
    this.#lookAtMs = clock.monotonicMs() + LOOK_AGAIN_MS;
    await this.#report(because, shown.release?.seq ?? 0, lease);
    return false;
  }

  /**
   * In every pass of a leader, before it decides anything. `resign`: it must not lead here. `refuse`: machines know better than this
   * registry, and whoever leads must not place.
   */
  async judge(snapshot: ClusterSnapshot, term: number): Promise<GuardVerdict> {
    const { identity, release } = snapshot;
    const because = this.#ports.memory.judge({ identity, release, term });
    if (because !== null) return { act: "resign", problem: problemOf(because) };
    await this.#save();
    const ahead = memberAhead(snapshot);
    if (ahead !== null) return { act: "refuse", problem: problemOf(ahead) };
    return { act: "go-on", problem: "" };
  }

  async #look(): Promise<{ readonly shown: ShownRegistry | null; readonly because: Replaced | null }> {
    const { registry, memory } = this.#ports;
    if (!this.#recalled) await memory.recall();
    this.#recalled = true;
    const shown = await readShownRegistry(registry, this.#keys);
    const because = shown === null ? null : memory.judge(shown);
    this.#say(because);
    return { shown, because };
  }

  /** A disk that takes nothing is no reason to leave a cluster without an engine; what was seen counts as long as this one runs. */
  async #save(): Promise<void> {
    try {
      await this.#ports.memory.save();
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      if (this.#said !== error.code) this.#ports.log(refusal(error));
      this.#said = error.code;
    }
  }

  #say(because: Replaced | null): void {
    const said = because === null ? null : problemOf(because);
    if (said !== null && said !== this.#said) this.#ports.log(warning(said));
    if (said === null && this.#said?.startsWith(REGISTRY_REPLACED))
      this.#ports.log(notice("the registry may be led again"));
    this.#said = said;
  }

  /**
   * For `fleet status`, where nobody leads who could say it; of several that refuse the first one's. A restored registry may hold the leader
   * key that we led by when the backup was made: it hangs on a lease that we renew, and goes, or nobody could ever say or do anything.
   */
  async #report(because: Replaced, releaseSeq: number, lease: LeaseId): Promise<void> {
    const { registry, memory } = this.#ports;
    const known = memory.mark;
    const report: ReportRecord = {
      ...{ leader: this.#machine, releaseSeq, problem: problemOf(because), unplaced: [] },
      ...(known === null ? {} : { known }),
    };
    const value = encodeRecord(report);
    const { listings } = await registry.txn({
      when: [],
      then: [this.#keys.leader, this.#keys.report].map((prefix) => ({ kind: "list", prefix, exact: true })),
    });
    const [leader, there] = listings.map(([entry]) => entry);
    const old = leader?.lease === lease ? leader : undefined;
    if (leader !== undefined && old === undefined) return;
    const isSaid = there !== undefined && (there.lease !== lease || there.value === value);
    if (isSaid && old === undefined) return;
    await registry.txn({
      when: [
        { key: this.#keys.leader, target: "mod", is: "=", value: old?.modRevision ?? 0 },
        { key: this.#keys.report, target: "mod", is: "=", value: there?.modRevision ?? 0 },
      ],
      then: [
        ...(old === undefined ? [] : [{ kind: "delete", key: this.#keys.leader } as const]),
        ...(isSaid ? [] : [{ kind: "put", key: this.#keys.report, value, lease } as const]),
      ],
    });
  }
}

function problemOf(because: Replaced): string {
  return `${REGISTRY_REPLACED}: ${replacedDetail(because)}; ${REPLACED_NEXT}`;
}
