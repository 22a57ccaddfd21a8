import type { PlanReport } from "../../domain/plan/plan-report.ts";
import type { StoppedRelease } from "../../domain/plan/stopped-release.ts";

/** That the release in force is not what is placed; empty where it is. A plan's "before" is what is placed (protocol rule 5). */
export function stoppedReleaseLines({ stopped }: Pick<PlanReport, "stopped">): string[] {
  return stopped === undefined ? [] : [`! ${stoppedReleaseText(stopped)}`];
}

function stoppedReleaseText({ seq, phase, base, isPlanned }: StoppedRelease): string {
  const before = "what is placed counts as before, not its commit";
  const again = isPlanned
    ? phase === "held"
      ? "; this is what it wants: fleet rollout resume, or mend it first"
      : "; this is what it wants, and is not tried again: mend it first"
    : "";
  return `release ${seq} ${ENDED[phase]}${phase === "rolled-back" && base !== null ? ` to release ${base}` : ""}: ${before}${again}`;
}

const ENDED: Readonly<Record<StoppedRelease["phase"], string>> = {
  held: "failed and is held",
  aborted: "was aborted",
  "rolled-back": "failed and was rolled back",
};
