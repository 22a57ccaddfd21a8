import type { StatusProblem } from "../cluster/cluster-snapshot.ts";
import type { RolloutFailure } from "./rollout-record.ts";

/** As `ailments` writes a problem's words: its code, then its detail. */
const WORDS = /^([a-z][a-z-]*): (.+)$/s;

/** What failed in a rollout as the problem its machine told then, so that it reads the same once another version runs there. */
export function failureProblem({ because: { code, detail } }: Pick<RolloutFailure, "because">): StatusProblem {
  const words = code === "failed" ? WORDS.exec(detail) : null;
  const said = code === "deadline" ? `not healthy in time: ${detail}` : detail;
  return { code: words?.[1] ?? code, detail: words?.[2] ?? said, journal: [] };
}
