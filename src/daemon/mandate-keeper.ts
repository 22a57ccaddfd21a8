import type { RegistryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitName } from "../domain/names.ts";
import { RULES_VERSION } from "../domain/plan/plan.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice } from "../ports/log.ts";
import type { Registry } from "../ports/registry.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { readPlan } from "../usecases/read-plan.ts";

/** A leader that cannot read the release's commit for this long gives way to one that perhaps can (protocol rule 14). */
const COMMIT_PATIENCE_MS = 30_000;
/** How often it asks the source again meanwhile. */
const COMMIT_RETRY_MS = 2_000;

/** The release being placed, verified and compiled, with the machines its plan chose. */
export interface Mandate {
  readonly release: Release;
  readonly spec: ClusterSpec;
  /** Of the release before, where this engine placed that too: from it the effect of a change is known. */
  readonly released: ClusterSpec | null;
  readonly preferred: ReadonlyMap<UnitName, MachineId>;
}

/** Why there is no mandate; null: it is not yet time to ask the source again. `isHopeless`: it has been so for too long to go on leading. */
export interface Unreadable {
  readonly problem: string | null;
  readonly isHopeless: boolean;
}

export interface MandatePorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly compile: CommitCompiler;
  readonly clock: Clock;
  readonly log: Log;
}

/** Which release an engine may place from: only the one in force, and only once it has read and compiled its commit itself. */
export class MandateKeeper {
  readonly #keys: RegistryKeys;
  readonly #ports: MandatePorts;
  #mandate: Mandate | null = null;
  #commitMissingSinceMs: number | null = null;
  #readAgainAtMs = 0;
  /** False after giving up: do not campaign until the release in force can be read. */
  #isFit = true;

  constructor(keys: RegistryKeys, ports: MandatePorts) {
    this.#keys = keys;
    this.#ports = ports;
  }

  get current(): Mandate | null {
    return this.#mandate;
  }

  /** Of a term that ended: the next one reads again. */
  forget(): void {
    this.#mandate = null;
  }

  /**
   * Whether it makes sense to campaign: after a resignation for an unreadable commit, only once the release in force can be read here.
   * That the source answers is not enough: a mirror that stands still answers, too, and two engines on such would take turns for ever.
   */
  async isFit(): Promise<boolean> {
    if (this.#isFit) return true;
    const nowMs = this.#ports.clock.monotonicMs();
    if (nowMs < this.#readAgainAtMs) return false;
    this.#readAgainAtMs = nowMs + COMMIT_RETRY_MS;
    const { release, identity } = await this.#inForce();
    if (release !== null && identity !== null) {
      const verdict = await acceptRelease(release, identity, null, this.#ports.source, this.#ports.compile);
      if (verdict.kind === "refuse") return false;
    }
    this.#isFit = true;
    this.#readAgainAtMs = nowMs;
    return true;
  }

  /** Never an older release: what is in force, or why not. */
  async take({ release, identity }: ClusterSnapshot): Promise<Mandate | Unreadable> {
    if (release === null || identity === null) return { problem: null, isHopeless: false };
    const last = this.#mandate;
    if (last?.release.seq === release.seq && last.release.planId === release.planId) return last;
    if (this.#ports.clock.monotonicMs() < this.#readAgainAtMs) return { problem: null, isHopeless: false };
    const verdict = await acceptRelease(release, identity, null, this.#ports.source, this.#ports.compile);
    if (verdict.kind === "refuse") return this.#cannotRead(verdict.problem);
    this.#commitMissingSinceMs = null;
    const plan = await readPlan(this.#ports.registry, this.#keys, release.planId);
    // Of other rules it may wish for what these would not decide: then the engine decides itself.
    const planned = plan?.rules === RULES_VERSION ? plan.placements : [];
    const preferred = new Map(planned.map((placement) => [placement.unit, placement.machine]));
    const released = last?.spec.specHash === verdict.spec.specHash ? last.released : (last?.spec ?? null);
    this.#mandate = { release, spec: verdict.spec, released, preferred };
    this.#ports.log(notice(`places release ${release.seq}, commit ${release.commit}`));
    return this.#mandate;
  }

  /** Who does not lead follows nothing but the leader. */
  async #inForce(): Promise<ClusterSnapshot> {
    const { cluster, release } = this.#keys;
    const listings = await Promise.all(
      [cluster, release].map((key) => this.#ports.registry.list(key, { exact: true })),
    );
    const entries = listings.flatMap((listing) => listing.entries);
    return snapshotFromEntries(this.#keys, entries, Math.max(...listings.map(({ revision }) => revision))).snapshot;
  }

  #cannotRead({ code, detail }: { readonly code: string; readonly detail: string }): Unreadable {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#commitMissingSinceMs ??= nowMs;
    this.#readAgainAtMs = nowMs + COMMIT_RETRY_MS;
    const isHopeless = nowMs - this.#commitMissingSinceMs >= COMMIT_PATIENCE_MS;
    if (isHopeless) {
      this.#commitMissingSinceMs = null;
      this.#isFit = false;
    }
    return { problem: `${code}: ${detail}`, isHopeless };
  }
}

export function isMandate(taken: Mandate | Unreadable): taken is Mandate {
  return "spec" in taken;
}
