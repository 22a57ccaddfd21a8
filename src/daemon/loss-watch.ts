import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import { type LossThresholds, lossThresholds } from "../domain/loss/damping.ts";
import { judgeLoss } from "../domain/loss/judge-loss.ts";
import { type LossHistory, NO_HISTORY } from "../domain/loss/loss-history.ts";
import { isToBeKept, memoryOf, recalledHistory } from "../domain/loss/loss-memory.ts";
import type { LossVerdict } from "../domain/loss/loss-verdict.ts";
import { type Sightings, sightingsOf } from "../domain/loss/sighting.ts";
import { withLosses } from "../domain/loss/with-losses.ts";
import type { MachineId } from "../domain/names.ts";
import { machinesOfUnits, placedNow } from "../domain/placement/placed-now.ts";
import type { ClusterSpec, LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { Compare, Registry } from "../ports/registry.ts";
import { keepLosses, readLosses } from "../usecases/keep-losses.ts";
import type { Span } from "./registry-mirror.ts";

/** What a look sees that does not change with time. */
interface Seen {
  readonly spec: ClusterSpec;
  readonly snapshot: ClusterSnapshot;
  readonly machines: readonly Machine[];
  readonly sightings: Sightings;
}

const NOBODY: ReadonlySet<MachineId> = new Set();

interface LossWatchInput {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  /** Holds for as long as this leader leads. */
  readonly leads: Compare;
  readonly clock: Clock;
  /** Overrides the manifest's. */
  readonly policy: Partial<LossPolicy>;
}

/** The eyes and the memory of one leader: what it has seen of machines since its first full read, and what the one before has left. One for each term. */
export class LossWatch {
  readonly #input: LossWatchInput;
  /** Null before the first look. */
  #history: LossHistory | null = null;
  /** What the next leader would know. */
  #kept: LossHistory = NO_HISTORY;
  #seen: Seen | null = null;

  constructor(input: LossWatchInput) {
    this.#input = input;
  }

  /**
   * To be called at every pass, also where nothing happened: that a machine is silent for longer is no event. What the next leader has to
   * know is kept before anything moves by the verdict. Null where this one leads no more.
   */
  async look(spec: ClusterSpec, snapshot: ClusterSnapshot, registryAway: Span | null): Promise<LossVerdict | null> {
    const { registry, keys, leads, clock, policy } = this.#input;
    const thresholds = lossThresholds({ ...spec.loss, ...policy });
    const { sightings } = this.#see(spec, snapshot, thresholds);
    const memory = this.#history === null ? await readLosses(registry, keys) : null;
    const nowMs = Math.floor(clock.monotonicMs());
    if (memory !== null) {
      const missing = sightings.machines.filter(({ present }) => !present).map(({ machine }) => machine);
      this.#history = recalledHistory(memory, new Set(missing), nowMs);
      this.#kept = this.#history;
    }
    const verdict = judgeLoss(this.#history ?? NO_HISTORY, { sightings, registryAway, nowMs }, thresholds);
    this.#history = verdict.history;
    if (!isToBeKept(verdict.history, this.#kept)) return verdict;
    if (!(await keepLosses(registry, keys, leads, memoryOf(verdict.history, nowMs)))) return null;
    this.#kept = verdict.history;
    return verdict;
  }

  /** The machines of the last look, under its verdict. */
  machines(verdict: LossVerdict): readonly Machine[] {
    return withLosses(this.#seen?.machines ?? [], verdict);
  }

  #see(spec: ClusterSpec, snapshot: ClusterSnapshot, thresholds: LossThresholds): Seen {
    if (this.#seen?.spec === spec && this.#seen.snapshot === snapshot) return this.#seen;
    const machines = machinesOf(spec, snapshot, NOBODY);
    const sightings = sightingsOf(spec, machines, machinesOfUnits(placedNow(snapshot)), thresholds);
    this.#seen = { spec, snapshot, machines, sightings };
    return this.#seen;
  }
}
