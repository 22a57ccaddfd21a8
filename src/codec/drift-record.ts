import type { DriftKind, DriftOutcome, UnitDrift } from "../domain/drift/unit-drift.ts";
import { hasShape, type Shape } from "./record.ts";

const DRIFT_SHAPE: Shape = { seen: "objects", since: "string", corrected: "number", outcome: "string" };
/** More than a machine's agent would have put back in an hour is no reason to print a page. */
const SEEN_MAX = 20;

const KINDS: Readonly<Record<DriftKind, true>> = {
  edited: true,
  deleted: true,
  masked: true,
  "extra-dropin": true,
  stopped: true,
};
const OUTCOMES: Readonly<Record<DriftOutcome, true>> = {
  corrected: true,
  correcting: true,
  detected: true,
  "given-up": true,
};

/** The drift of a status, which older agents do not tell; none where it is damaged. Kinds that a newer agent knows are left out. */
export function readUnitDrift(value: unknown): UnitDrift | null {
  if (!hasShape(value, DRIFT_SHAPE)) return null;
  const { seen, since, corrected, outcome } = value as UnitDrift;
  if (!Object.hasOwn(OUTCOMES, outcome)) return null;
  const known = seen.filter(
    ({ kind, path }) => Object.hasOwn(KINDS, kind) && (path === undefined || typeof path === "string"),
  );
  return { seen: known.slice(0, SEEN_MAX), since, corrected, outcome };
}
