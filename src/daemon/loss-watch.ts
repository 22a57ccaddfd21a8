import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { Machine } from "../domain/cluster/machine.ts";
import { machinesOf } from "../domain/cluster/machines-of.ts";
import { type LossThresholds, lossThresholds } from "../domain/loss/damping.ts";
import { judgeLoss } from "../domain/loss/judge-loss.ts";
import { type LossHistory, NO_HISTORY } from "../domain/loss/loss-history.ts";
import type { LossVerdict } from "../domain/loss/loss-verdict.ts";
import { type Sightings, sightingsOf } from "../domain/loss/sighting.ts";
import { withLosses } from "../domain/loss/with-losses.ts";
import type { MachineId } from "../domain/names.ts";
import { machinesOfUnits, placedNow } from "../domain/placement/placed-now.ts";
import type { ClusterSpec, LossPolicy } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { Span } from "./registry-mirror.ts";

/** What a look sees that does not change with time. */
interface Seen {
  readonly spec: ClusterSpec;
  readonly snapshot: ClusterSnapshot;
  readonly machines: readonly Machine[];
  readonly sightings: Sightings;
}

const NOBODY: ReadonlySet<MachineId> = new Set();

/** The eyes and the memory of one leader: what it has seen of machines since its first full read. One for each term. */
export class LossWatch {
  readonly #clock: Clock;
  /** Overrides the manifest's. */
  readonly #policy: Partial<LossPolicy>;
  #history: LossHistory = NO_HISTORY;
  #seen: Seen | null = null;

  constructor(clock: Clock, policy: Partial<LossPolicy>) {
    this.#clock = clock;
    this.#policy = policy;
  }

  /** To be called at every pass, also where nothing happened: that a machine is silent for longer is no event. */
  look(spec: ClusterSpec, snapshot: ClusterSnapshot, registryAway: Span | null): LossVerdict {
    const thresholds = lossThresholds({ ...spec.loss, ...this.#policy });
    const { sightings } = this.#see(spec, snapshot, thresholds);
    const look = { sightings, registryAway, nowMs: Math.floor(this.#clock.monotonicMs()) };
    const verdict = judgeLoss(this.#history, look, thresholds);
    this.#history = verdict.history;
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
