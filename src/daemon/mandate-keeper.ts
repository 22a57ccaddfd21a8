import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, MachineId, UnitName } from "../domain/names.ts";
import { RULES_VERSION } from "../domain/plan/plan.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
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
  /** After giving up for it: do not campaign until it can be read. */
  #unfitFor: CommitId | null = null;

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

  /** Whether it makes sense to campaign: after a resignation for an unreadable commit, only once the source answers. */
  async isFit(): Promise<boolean> {
    if (this.#unfitFor === null) return true;
    try {
      await this.#ports.source.fetch();
      this.#unfitFor = null;
      return true;
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      return false;
    }
  }

  /** Never an older release: what is in force, or why not. */
  async take({ release, identity }: ClusterSnapshot): Promise<Mandate | Unreadable> {
    if (release === null || identity === null) return { problem: null, isHopeless: false };
    const last = this.#mandate;
    if (last?.release.seq === release.seq && last.release.planId === release.planId) return last;
    if (this.#ports.clock.monotonicMs() < this.#readAgainAtMs) return { problem: null, isHopeless: false };
    const verdict = await acceptRelease(release, identity, null, this.#ports.source, this.#ports.compile);
    if (verdict.kind === "refuse") return this.#cannotRead(release, verdict.problem);
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

  #cannotRead(release: Release, { code, detail }: { readonly code: string; readonly detail: string }): Unreadable {
    const nowMs = this.#ports.clock.monotonicMs();
    this.#commitMissingSinceMs ??= nowMs;
    this.#readAgainAtMs = nowMs + COMMIT_RETRY_MS;
    const isHopeless = nowMs - this.#commitMissingSinceMs >= COMMIT_PATIENCE_MS;
    if (isHopeless) {
      this.#commitMissingSinceMs = null;
      this.#unfitFor = release.commit;
    }
    return { problem: `${code}: ${detail}`, isHopeless };
  }
}

export function isMandate(taken: Mandate | Unreadable): taken is Mandate {
  return "spec" in taken;
}
