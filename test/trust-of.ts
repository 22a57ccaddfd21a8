import type { GitSource } from "../src/ports/git-source.ts";
import { TrustJudge } from "../src/usecases/trust-judge.ts";

/** Judges by what the repository's own `fleet.yaml` says; most of the repositories of tests say nothing. */
export function trustOf(source: GitSource): TrustJudge {
  return new TrustJudge({ source, manifestPath: "fleet.yaml", own: null });
}
