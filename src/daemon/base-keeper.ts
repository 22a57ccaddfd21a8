import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import type { BaseSpec } from "../domain/rollout/base-versions.ts";
import type { ReleaseId } from "../domain/rollout/rollout-record.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, warning } from "../ports/log.ts";
import { acceptBase } from "../usecases/accept-base.ts";
import type { CommitCompiler } from "../usecases/commit-compiler.ts";

/** How often a base that could not be read is asked for again. */
const RETRY_MS = 10_000;

interface Read {
  readonly of: string;
  readonly spec: BaseSpec;
  readonly againAtMs: number;
}

/** The spec of the last release that ended well, as far as it can be read. One compile for each base. */
export class BaseKeeper {
  readonly #source: GitSource;
  readonly #compile: CommitCompiler;
  readonly #clock: Clock;
  readonly #log: Log;
  #read: Read | null = null;

  constructor(ports: {
    readonly source: GitSource;
    readonly compile: CommitCompiler;
    readonly clock: Clock;
    readonly log: Log;
  }) {
    this.#source = ports.source;
    this.#compile = ports.compile;
    this.#clock = ports.clock;
    this.#log = ports.log;
  }

  /** `known`: specs that are compiled already; most often the base's is among them. */
  async specOf(base: ReleaseId | null, release: Release, known: readonly ClusterSpec[]): Promise<BaseSpec> {
    if (base === null) return null;
    const there = known.find(({ specHash }) => specHash === base.specHash);
    const of = `${base.commit} ${base.specHash} ${release.commit}`;
    const nowMs = this.#clock.monotonicMs();
    if (this.#read?.of === of && nowMs < this.#read.againAtMs) return this.#read.spec;
    if (there !== undefined) return this.#keep(of, there, Number.POSITIVE_INFINITY);
    const matches = ({ specHash }: ClusterSpec) => specHash === base.specHash;
    const verdict = await acceptBase(base, release, null, this.#source, this.#compile, { matches });
    if (verdict.kind === "accept") return this.#keep(of, verdict.spec, Number.POSITIVE_INFINITY);
    this.#log(warning(`cannot read release ${base.seq}, which ended well: ${verdict.detail}`));
    return this.#keep(of, "unknown", nowMs + RETRY_MS);
  }

  #keep(of: string, spec: BaseSpec, againAtMs: number): BaseSpec {
    this.#read = { of, spec, againAtMs };
    return spec;
  }
}
