import { backoffMs } from "../daemon/backoff.ts";
import type { Diagnostic } from "../domain/diagnostic.ts";
import type { CommitId } from "../domain/names.ts";
import type { Clock } from "../ports/clock.ts";
import type { GitSource } from "../ports/git-source.ts";
import { type Log, refusal, warning } from "../ports/log.ts";
import { OperationError } from "../ports/operation-error.ts";

/**
 * How long a source may keep a daemon that knows from before which cluster it belongs to: a machine that boots without git has units to
 * start. Most answer in a second.
 */
const SOURCE_PATIENCE_MS = 5_000;

export interface BranchWorld {
  readonly source: Pick<GitSource, "fetch">;
  /** At least the manifest. */
  readonly compile: (
    commit: CommitId,
  ) => Promise<{ readonly spec: { readonly cluster: string } | null; readonly diagnostics: readonly Diagnostic[] }>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The cluster's name in the manifest at the branch's tip. Where the source is away or its tip does not compile, `remembered`: the name this
 * machine went by last. Without one the source is waited for, because a repository may come up after its machines.
 */
export async function clusterOfBranch(
  { source, compile, clock, log }: BranchWorld,
  remembered: string | null,
  signal: AbortSignal,
): Promise<string> {
  const ask = async (): Promise<string | null> => {
    try {
      const { spec, diagnostics } = await compile(await source.fetch());
      if (spec !== null) return spec.cluster;
      log(warning(`the branch does not compile: ${diagnostics[0]?.saw ?? "no reason given"}`));
    } catch (error) {
      if (!(error instanceof OperationError)) throw error;
      log(refusal(error));
    }
    return null;
  };
  for (let attempt = 0; !signal.aborted; attempt++) {
    const name = remembered === null ? await ask() : ((await inTime(ask(), clock, signal)) ?? remembered);
    if (name !== null) return name;
    await clock.sleep(backoffMs(attempt), signal);
  }
  throw new OperationError("stopped", "stopped before the repository could be read");
}

/** Its answer, or null where it takes too long; it goes on by itself then, and what it finds is found again. */
async function inTime<T>(answer: Promise<T | null>, clock: Clock, signal: AbortSignal): Promise<T | null> {
  const patience = new AbortController();
  const both = AbortSignal.any([signal, patience.signal]);
  try {
    return await Promise.race([answer, clock.sleep(SOURCE_PATIENCE_MS, both).then(() => null)]);
  } finally {
    patience.abort();
  }
}
