import { CORRECTIONS_MAX } from "../../domain/drift/judge-drift.ts";
import { printDrift, type UnitDrift } from "../../domain/drift/unit-drift.ts";

/** A word or two, for a column; nothing of what was put back. */
export function driftWord({ outcome }: UnitDrift): string {
  return outcome === "corrected" ? "" : `drift, ${OUTCOMES[outcome]}`;
}

/** What differs or differed, since when, and what became of it. */
export function driftText({ seen, since, corrected, outcome }: UnitDrift): string {
  const times = corrected === 0 ? "" : `, put back ${corrected === 1 ? "once" : `${corrected} times`} in the last hour`;
  const what = `${printDrift(seen)}, since ${since}${times}`;
  if (outcome === "corrected") return what;
  const next = outcome === "given-up" ? `: more than ${CORRECTIONS_MAX} times an hour is left to people` : "";
  return `${what}: ${OUTCOMES[outcome]}${next}`;
}

const OUTCOMES: Readonly<Record<Exclude<UnitDrift["outcome"], "corrected">, string>> = {
  correcting: "being put back",
  detected: "left as it is",
  "given-up": "given up",
};
