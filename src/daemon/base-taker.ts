import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import type { CommitId, UnitName } from "../domain/names.ts";
import type { ReleaseId } from "../domain/rollout/rollout-record.ts";
import { rolloutOf } from "../domain/rollout/rollouts.ts";
import type { SpecPart } from "../domain/spec/commit-part.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, notice, warning } from "../ports/log.ts";
import { acceptBase } from "../usecases/accept-base.ts";
import type { PartCompiler } from "../usecases/part-compiler.ts";
import type { TrustJudge } from "../usecases/trust-judge.ts";
import type { AgentMemory } from "./agent-memory.ts";

/** What could not be read is asked for again after this long. */
const RETRY_MS = 2_000;

export interface BasePorts {
  readonly source: GitSource;
  readonly trust: Pick<TrustJudge, "judge">;
  readonly compilePart: PartCompiler;
  readonly clock: Clock;
  readonly log: Log;
}

interface Read {
  readonly commit: string;
  readonly units: ReadonlySet<UnitName>;
  readonly spec: SpecPart | null;
  readonly againAtMs: number;
}

/**
 * Which texts of before the accepted release a machine may run: those of the release that its rollout names as the last one that ended well,
 * which machines of later rings keep, newcomers get, and a rollback goes back to. Never those of before the last release that is known
 * here to have ended well: that floor is on disk, and only rises (protocol rule 3).
 */
export class BaseTaker {
  readonly #memory: AgentMemory;
  readonly #ports: BasePorts;
  #base: ReleaseId | null = null;
  #read: Read | null = null;

  constructor(memory: AgentMemory, ports: BasePorts) {
    this.#memory = memory;
    this.#ports = ports;
  }

  /** What the registry says of the rollout of the release that was accepted. */
  async hear({ rollouts }: ClusterSnapshot): Promise<void> {
    const { accepted } = this.#memory.state;
    const record = rolloutOf(rollouts, accepted);
    this.#base = record?.phase === "done" ? null : (record?.base ?? null);
    if (record?.phase === "done") await this.#raise(record.release);
  }

  /** The base, as far as these units need it; null where there is none, or it is not to be had. */
  async specFor(units: ReadonlySet<UnitName>): Promise<SpecPart | null> {
    const base = this.#base;
    const { accepted, floor = null } = this.#memory.state;
    if (base === null || accepted === null) return null;
    const nowMs = this.#ports.clock.monotonicMs();
    const known = this.#read;
    const isKnown = known?.commit === base.commit && [...units].every((unit) => known.units.has(unit));
    if (isKnown && nowMs < known.againAtMs) return known.spec;
    const { source, trust, compilePart, log } = this.#ports;
    const compile = (commit: CommitId) => compilePart(commit, units);
    const verdict = await acceptBase(base, accepted, floor, source, compile, { trust });
    if (verdict.kind !== "accept") {
      if (!isKnown) log(warning(`release ${base.seq}, which ended well, is not taken: ${verdict.detail}`));
      this.#read = { commit: base.commit, units, spec: null, againAtMs: nowMs + RETRY_MS };
      return null;
    }
    if (!isKnown) log(notice(`takes texts of release ${base.seq}, commit ${base.commit}`));
    this.#read = { commit: base.commit, units, spec: verdict.spec, againAtMs: Number.POSITIVE_INFINITY };
    await this.#raise(base);
    return verdict.spec;
  }

  async #raise({ commit }: ReleaseId): Promise<void> {
    const { state } = this.#memory;
    if (state.floor !== commit) await this.#memory.remember({ ...state, floor: commit });
  }
}
