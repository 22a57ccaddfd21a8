import { failureProblem } from "../rollout/failure-problem.ts";
import type { RolloutPhase, RolloutRecord } from "../rollout/rollout-record.ts";
import type { Judged } from "./convergence.ts";
import type { Verdict, WaitingBecause } from "./seen-units.ts";

/** Phases in which a rollout does not go on by itself, and its release is not what runs. */
const STOPPED = new Set<RolloutPhase>(["held", "aborted", "rolled-back"]);

export type StoppedRollout = RolloutRecord & { readonly phase: "held" | "aborted" | "rolled-back" };

export function isStopped(record: RolloutRecord | null): record is StoppedRollout {
  return record !== null && STOPPED.has(record.phase);
}

/** What a unit waits for until the engine writes it. */
export const OF_A_WAVE: ReadonlySet<WaitingBecause["code"]> = new Set(["not-placed", "leaving"]);

/**
 * What is judged of a release whose rollout has stopped: what it has not changed waits for nothing any more, and what failed is told in the
 * words it had then, however well the version runs that was put back.
 */
export function withRollout(judged: readonly Judged[], record: StoppedRollout): readonly Judged[] {
  const by = record.failures[0]?.unit;
  const stopped: Verdict = {
    kind: "failed",
    because: by === undefined ? { code: "stopped", phase: record.phase } : { code: "held", by },
  };
  const isStoppedHere = ({ verdict }: Judged) => verdict.kind === "waiting" && OF_A_WAVE.has(verdict.because.code);
  const known = new Set(
    judged.filter(({ verdict }) => verdict.kind === "failed").map(({ unit, machine }) => `${unit}/${machine}`),
  );
  const failed = record.failures
    .filter(({ unit, machine }) => !known.has(`${unit}/${machine}`))
    .map((failure): Judged => {
      const { unit, machine } = failure;
      const problem = failureProblem(failure);
      return { unit, machine, verdict: { kind: "failed", because: { code: "problem", problem } } };
    });
  const told = new Set(failed.map(({ unit, machine }) => `${unit}/${machine}`));
  return [
    ...judged
      .filter((one) => !told.has(`${one.unit}/${one.machine}`))
      .map((one) => (isStoppedHere(one) ? { ...one, verdict: stopped } : one)),
    ...failed,
  ];
}
