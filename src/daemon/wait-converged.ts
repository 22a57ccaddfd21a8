import type { RegistryKeys } from "../codec/registry-keys.ts";
import { snapshotFromEntries } from "../codec/snapshot-from-entries.ts";
import type { Release } from "../domain/cluster/cluster-snapshot.ts";
import { type Convergence, judgeConvergence } from "../domain/cluster/convergence.ts";
import type { Sha256 } from "../domain/names.ts";
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
 * release of another spec is in force: what is waited for will not come.
 */
export async function waitConverged(input: {
  readonly registry: Registry;
  readonly keys: RegistryKeys;
  readonly spec: ClusterSpec;
  readonly releaseSeq: number;
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly sha256: Sha256;
  readonly onProgress: (state: Convergence) => void;
}): Promise<Convergence> {
  const wakeup = new Wakeup(input.clock);
  const stop = new AbortController();
  const { root, cluster, release } = input.keys;
  const prefixes = [
    cluster,
    release,
    ...["assign/", "placements/", "members/", "presence/", "status/", "rollout/"].map((part) => root + part),
  ];
  const mirror = new RegistryMirror(input.registry, prefixes, input.clock, wakeup.wake);
  const running = mirror.run(stop.signal);
  const untilMs = input.clock.monotonicMs() + input.timeoutMs;
  let state: Convergence | null = null;
  try {
    for (;;) {
      const startedMs = input.clock.monotonicMs();
      if (mirror.complete) {
        const { snapshot } = snapshotFromEntries(input.keys, mirror.entries(), mirror.revision);
        state = judgeConvergence(input.spec, snapshot, input.sha256);
        input.onProgress(state);
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

function refuseSuperseded(now: Release | null, { releaseSeq, spec }: { releaseSeq: number; spec: ClusterSpec }): void {
  if (now === null || now.seq <= releaseSeq || now.specHash === spec.specHash) return;
  throw new OperationError("superseded", `release ${releaseSeq} is no longer in force: ${now.by} applied ${now.seq}`, {
    next: "fleet status shows how far that one is",
  });
}
