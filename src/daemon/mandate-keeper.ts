import type { RegistryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import { highestMarks } from "../domain/fencing/highest-marks.ts";
import type { CommitId, MachineId, UnitName } from "../domain/names.ts";
import { RULES_VERSION } from "../domain/plan/plan.ts";
import type { BaseSpec } from "../domain/rollout/base-versions.ts";
import type { RolloutRecord } from "../domain/rollout/rollout-record.ts";
import { NO_ROLLOUTS, rolloutInForce } from "../domain/rollout/rollouts.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { acceptRelease } from "../usecases/accept-release.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";
import { readPlan } from "../usecases/read-plan.ts";
import type { Rewinds } from "../usecases/rewind-keeper.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import { BaseKeeper } from "./base-keeper.ts";

/** A leader that cannot read the release's commit for this long gives way to one that perhaps can (protocol rule 14). */
const COMMIT_PATIENCE_MS = 30_000;
/** How often it asks the source again meanwhile. */
const COMMIT_RETRY_MS = 2_000;

/** The release being placed, verified and compiled, with the machines its plan chose. */
export interface Mandate {
  readonly release: Release;
  /** What everything goes to: the release's, or the base's where the rollout of the release goes back, or went. */
  readonly spec: ClusterSpec;
  /** What was before it, where that is known: from it the effect of a change is known. */
  readonly released: ClusterSpec | null;
  readonly preferred: ReadonlyMap<UnitName, MachineId>;
  /** What versions go away from: the base's, or, on the way back, the release's. Not asked for once a rollout is done. */
  readonly base: BaseSpec;
}

/** What a rollout of that phase goes to. */
interface Aim {
  readonly of: Mandate;
  readonly isBack: boolean;
  readonly base: BaseSpec;
  readonly mandate: Mandate;
}

const NOWHERE: ReadonlyMap<UnitName, MachineId> = new Map();

/** Why there is no mandate; null: it is not yet time to ask the source again. `isHopeless`: it has been so for too long to go on leading. */
export interface Unreadable {
  readonly problem: string | null;
  readonly isHopeless: boolean;
}

export interface MandatePorts {
  readonly registry: Registry;
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
  readonly compile: CommitCompiler;
  readonly clock: Clock;
  /** Absent: it never places from before what machines have taken. */
  readonly rewinds?: Rewinds;
  readonly log: Log;
}

/** Which release an engine may place from: only the one in force, and only once it has read and compiled its commit itself. */
export class MandateKeeper {
  readonly #keys: RegistryKeys;
  readonly #ports: MandatePorts;
  readonly #bases: BaseKeeper;
  /** Of the release in force, whatever became of its rollout. */
  #mandate: Mandate | null = null;
  /** The spec that was placed before it. */
  #placedBefore: ClusterSpec | null = null;
  #aim: Aim | null = null;
  #commitMissingSinceMs: number | null = null;
  #readAgainAtMs = 0;
  /** False after giving up: do not campaign until the release in force can be read. */
  #isFit = true;

  constructor(keys: RegistryKeys, ports: MandatePorts) {
    this.#keys = keys;
    this.#ports = ports;
    this.#bases = new BaseKeeper(ports);
  }

  get current(): Mandate | null {
    return this.#aim?.mandate ?? this.#mandate;
  }

  /** The release in force, whatever its rollout goes to: what the next one is judged by. */
  get inForce(): Mandate | null {
    return this.#mandate;
  }

  /** Of a term that ended: the next one reads again. */
  forget(): void {
    this.#mandate = null;
    this.#placedBefore = null;
    this.#aim = null;
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
      const verdict = await acceptRelease(release, identity, null, this.#ports, this.#ports.compile);
      if (verdict.kind === "refuse") return false;
    }
    this.#isFit = true;
    this.#readAgainAtMs = nowMs;
    return true;
  }

  /** Never an older release, unless the one in force is rolled back: what is to be placed, or why nothing is. The same value for the same. */
  async take(snapshot: ClusterSnapshot): Promise<Mandate | Unreadable> {
    const mandate = await this.#inForceOf(snapshot);
    if (!isMandate(mandate)) return mandate;
    const { record } = rolloutInForce(snapshot.rollouts ?? NO_ROLLOUTS, mandate.release, "");
    return this.#aimedBy(record, mandate);
  }

  async #aimedBy(record: RolloutRecord, of: Mandate): Promise<Mandate | Unreadable> {
    if (record.phase === "done") return of;
    const isBack = record.phase === "rolling-back" || record.phase === "rolled-back";
    const known = [of.spec, ...(this.#placedBefore === null ? [] : [this.#placedBefore])];
    const base = await this.#bases.specOf(record.base, of.release, known);
    if (isBack && (base === null || base === "unknown")) {
      const detail = `release ${of.release.seq} was rolled back, and what it went back to cannot be read`;
      return this.#cannotRead({ code: "base-unreadable", detail });
    }
    this.#commitMissingSinceMs = null;
    if (this.#aim?.of === of && this.#aim.isBack === isBack && this.#aim.base === base) return this.#aim.mandate;
    const old = base === "unknown" ? null : base;
    const mandate =
      isBack && old !== null
        ? { ...of, spec: old, released: of.spec, preferred: NOWHERE, base: of.spec }
        : { ...of, released: of.released ?? old, base };
    this.#aim = { of, isBack, base, mandate };
    return mandate;
  }

  async #inForceOf(snapshot: ClusterSnapshot): Promise<Mandate | Unreadable> {
    const { release, identity } = snapshot;
    if (release === null || identity === null) return { problem: null, isHopeless: false };
    const last = this.#mandate;
    if (last?.release.seq === release.seq && last.release.planId === release.planId) return last;
    if (this.#ports.clock.monotonicMs() < this.#readAgainAtMs) return { problem: null, isHopeless: false };
    const { compile } = this.#ports;
    const setBack = await this.#setBack(release, snapshot);
    if (setBack !== null) {
      this.#readAgainAtMs = this.#ports.clock.monotonicMs() + COMMIT_RETRY_MS;
      // Another engine would not see it otherwise.
      return { problem: setBack, isHopeless: false };
    }
    const from = await this.#lastBefore(release.commit);
    const verdict = await acceptRelease(release, identity, null, this.#ports, compile, from);
    if (verdict.kind === "refuse") return this.#cannotRead(verdict.problem);
    this.#commitMissingSinceMs = null;
    const plan = await readPlan(this.#ports.registry, this.#keys, release.planId);
    // Of other rules it may wish for what these would not decide: then the engine decides itself.
    const planned = plan?.rules === RULES_VERSION ? plan.placements : [];
    const preferred = new Map(planned.map((placement) => [placement.unit, placement.machine]));
    const released = last?.spec.specHash === verdict.spec.specHash ? last.released : (last?.spec ?? null);
    this.#placedBefore = last?.spec ?? null;
    this.#mandate = { release, spec: verdict.spec, released, preferred, base: "unknown" };
    this.#ports.log(notice(`places release ${release.seq}, commit ${release.commit}`));
    return this.#mandate;
  }

  /**
   * Whether the release was set back behind what machines have verified and taken, by somebody who can write into the registry: an engine may
   * remember nothing. Null where it was not, or somebody ordered it here.
   */
  async #setBack({ commit }: Release, snapshot: ClusterSnapshot): Promise<string | null> {
    const { source, rewinds } = this.#ports;
    for (const mark of highestMarks(snapshot)) {
      if (mark.commit === commit) continue;
      const descends = await source.isAncestor(mark.commit, commit).catch(unreadable);
      // What cannot be read is told as that, by whoever reads it.
      if (descends !== "no" || ((await rewinds?.to(commit)) ?? null) !== null) continue;
      return `not-a-descendant: commit ${commit} does not descend from ${mark.commit}, which ${mark.machine} has taken`;
    }
    return null;
  }

  /** What was placed last, where the commit descends from it: it is judged by that. A new leader takes the commit's first parent for it. */
  async #lastBefore(commit: CommitId): Promise<CommitId | null> {
    const last = this.#mandate?.release.commit ?? null;
    if (last === null || last === commit) return last;
    const answer = await this.#ports.source.isAncestor(last, commit).catch(unreadable);
    return answer === "yes" ? last : null;
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

/** Whether it can be read at all is asked again at once, and told there. */
function unreadable(error: unknown): "unknown" {
  if (error instanceof OperationError) return "unknown";
  throw error;
}

export function isMandate(taken: Mandate | Unreadable): taken is Mandate {
  return "spec" in taken;
}
