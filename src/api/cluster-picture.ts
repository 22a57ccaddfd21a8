import type { IndexedUnit } from "../codec/registry-records.ts";
import type { ClusterSnapshot, StatusProblem } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, MachineId, UnitHash, UnitName } from "../domain/names.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import type { ClusterSpec, UnitGoal } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { RegistryReader } from "../ports/registry.ts";
import type { FollowedCluster } from "./followed-cluster.ts";

/** One unit on one machine, or nowhere: a row of `fleet list-units`, as far as the API tells it. */
export interface ShownUnit {
  readonly unit: UnitName;
  readonly goal: UnitGoal;
  readonly machine: MachineId | null;
  readonly machineName: string | null;
  /** fleet's word for where it is. */
  readonly state: UnitGoal;
  /** `current`: as its machine says now. */
  readonly news: "current" | "old" | "none";
  readonly wantedHash: UnitHash | null;
  readonly hash: UnitHash | null;
  readonly load: string;
  readonly active: string;
  readonly sub: string;
  readonly since: string;
  readonly problem: StatusProblem | null;
  readonly drift: { readonly outcome: string } | null;
}

/** A cluster at one revision, as the commands that look at one have it. */
export interface ClusterPicture {
  readonly snapshot: ClusterSnapshot;
  /** Sorted by unit, then machine's name. */
  readonly rows: readonly ShownUnit[];
  /** The release's units, placed or not. */
  readonly index: readonly IndexedUnit[];
  readonly report: EngineReport | null;
  /** What `fleet status --json` prints. */
  status(): object;
}

/** How a terminal reads the same. */
export type LookAtCluster = (registry: RegistryReader) => Promise<ClusterPicture>;

/** The spec of a commit, as this engine reads it; rejects with OperationError. */
export type SpecOf = (commit: CommitId) => Promise<ClusterSpec>;

/** Of the time of the process that places units, reading for clients may take a twentieth. */
export const REST_FACTOR = 20;

/** One picture for all who ask while nothing changes, and no new one before the process had time for what matters. */
export class PictureBook {
  readonly #cluster: FollowedCluster;
  readonly #look: LookAtCluster;
  readonly #clock: Clock;
  #last: { readonly changes: number; readonly nextMs: number; readonly picture: ClusterPicture } | null = null;
  #making: Promise<ClusterPicture> | null = null;

  constructor(cluster: FollowedCluster, look: LookAtCluster, clock: Clock) {
    this.#cluster = cluster;
    this.#look = look;
    this.#clock = clock;
  }

  /** As the registry is, or, where a picture takes long to make, was a little while ago. */
  async current(): Promise<ClusterPicture> {
    const reads = await this.#cluster.reads();
    const last = this.#last;
    if (last !== null && (this.isNewest(last.picture) || this.#clock.monotonicMs() < last.nextMs)) return last.picture;
    this.#making ??= this.#make(reads).finally(() => {
      this.#making = null;
    });
    return this.#making;
  }

  /** Whether it shows everything that is known. */
  isNewest(picture: ClusterPicture): boolean {
    return this.#last?.picture === picture && this.#last.changes === this.#cluster.changes;
  }

  async #make(reads: Awaited<ReturnType<FollowedCluster["reads"]>>): Promise<ClusterPicture> {
    const { changes } = this.#cluster;
    const startedMs = this.#clock.monotonicMs();
    const picture = await this.#look(reads);
    const nowMs = this.#clock.monotonicMs();
    this.#last = { changes, nextMs: nowMs + REST_FACTOR * (nowMs - startedMs), picture };
    return picture;
  }
}
