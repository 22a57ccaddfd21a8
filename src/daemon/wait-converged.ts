import { readReport } from "../codec/read-report.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { ClusterSnapshot, Release } from "../domain/cluster/cluster-snapshot.ts";
import { type Convergence, judgeConvergence } from "../domain/cluster/convergence.ts";
import type { Sha256 } from "../domain/names.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import type { ClusterSpec } from "../domain/spec/cluster-spec.ts";
import type { Clock } from "../ports/clock.ts";
import { OperationError } from "../ports/operation-error.ts";
import type { Registry } from "../ports/registry.ts";
import { RegistryMirror } from "./registry-mirror.ts";
import { Wakeup } from "./wakeup.ts";

/**
 * Judging is a tenth of the time at most: with thousands of units starting, every transaction brings news, and each judgement looks at
 * everything. Beyond the limit, the end would be told noticeably late.
 */
const REST_FACTOR = 10;
const REST_MAX_MS = 500;

/**
 * Follows the cluster until it is as the spec says, or time is up. `onProgress` hears each new state of affairs. A unit that has
 * failed does not end the wait: the others go on converging, and it is told at the end. Rejects with `superseded` where a newer
 * release of another spec is in force: what is waited for will not come. What failed keeps the journal lines that were seen of it, also
 * where another version has been put back since.
 */
export async function waitConverged(input: {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly spec: ClusterSpec;
  readonly releaseSeq: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly onProgress: (state: Convergence, seen: SeenCluster) => void;
}): Promise<Convergence> {
  const wakeup = new Wakeup(input.clock);
  const stop = new AbortController();
  const { root, cluster, release } = input.keys;
  const prefixes = [
    cluster,
    release,
    input.keys.report,
    ...["assign/", "placements/", "members/", "presence/", "status/", "rollout/", "rollout-orders/"].map(
      (part) => root + part,
    ),
  ];
  const mirror = new RegistryMirror(input.registry, prefixes, input.clock, wakeup.wake);
  const running = mirror.run(stop.signal);
  const untilMs = input.clock.monotonicMs() + input.timeoutMs;
  const journals = new Journals();
  let state: Convergence | null = null;
  try {
    for (;;) {
      const startedMs = input.clock.monotonicMs();
      if (mirror.complete) {
        const { snapshot } = snapshotFromEntries(input.keys, mirror.entries(), mirror.revision);
        state = journals.fill(judgeConvergence(input.spec, snapshot, input.sha256));
        const report = mirror.get(input.keys.report)?.value;
        input.onProgress(state, { snapshot, report: report === undefined ? null : readReport(report) });
        if (state.settled) return state;
        refuseSuperseded(snapshot.release, input);
      }
      const nowMs = input.clock.monotonicMs();
      const leftMs = untilMs - nowMs;
      if (leftMs <= 0)
        return state ?? judgeConvergence(input.spec, snapshotFromEntries(input.keys, [], 0).snapshot, input.sha256);
      await input.clock.sleep(Math.min((nowMs - startedMs) * REST_FACTOR, REST_MAX_MS, leftMs), stop.signal);
      await wakeup.wait(leftMs, stop.signal);
    }
  } finally {
    stop.abort();
    await running;
  }
}

/** What the cluster is seen to be beside its units. */
export interface SeenCluster {
  readonly snapshot: ClusterSnapshot;
  /** What the leading engine says; null: nothing. */
  readonly report: EngineReport | null;
}

/** The last lines that were seen of what failed: once the version before runs again, its machine tells nothing of them. */
class Journals {
  readonly #seen = new Map<string, readonly string[]>();

  fill(state: Convergence): Convergence {
    if (state.failed.length === 0) return state;
    const failed = state.failed.map((one): (typeof state.failed)[number] => {
      const { unit, machine, because } = one;
      if (because.code !== "problem") return one;
      const key = `${unit}/${machine}`;
      if (because.problem.journal.length > 0) this.#seen.set(key, because.problem.journal);
      const journal = this.#seen.get(key) ?? [];
      return { ...one, because: { code: "problem", problem: { ...because.problem, journal } } };
    });
    return { ...state, failed };
  }
}

function refuseSuperseded(now: Release | null, { releaseSeq, spec }: { releaseSeq: number; spec: ClusterSpec }): void {
  if (now === null || now.seq <= releaseSeq || now.specHash === spec.specHash) return;
  throw new OperationError("superseded", `release ${releaseSeq} is no longer in force: ${now.by} applied ${now.seq}`, {
    next: "fleet status shows how far that one is",
  });
}
