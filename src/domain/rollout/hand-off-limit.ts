import type { SpecUnit } from "../spec/cluster-spec.ts";
import { effectiveUnit } from "../unit/effective-unit.ts";
import { parseUnitFile } from "../unit/parse-unit-file.ts";
import { stopTimeOf, totalMs } from "../unit/stop-time.ts";
import { unitNameParts } from "../unit/unit-name.ts";

/**
 * Between the order and the stop, and between the end and our hearing of it: an agent's pass comes every 5 s at the latest, a status waits up
 * to 10 s for its turn, a systemd that reads all its units again takes a second or two; the same again, because a person is told. No limit is shorter. Milliseconds.
 */
export const HEARING_MS = 30_000;
/** Of what has no bound of its own: systemd's default of 90 s for SIGTERM, and once more for children that are left. */
const USUAL_STOP_MS = 180_000;

/**
 * How long a machine may take to let a unit go before people are told that it does not (`handoff-stuck`): as long as a stop may take by the
 * unit's text, `TimeoutStopSec=` at each step, and the time to hear of it. Nothing is done then: who does not stop keeps running.
 * Milliseconds; null for the spec: a unit the commit does not know.
 */
export function handOffLimitMs(unit: SpecUnit | null): number {
  return stopMs(unit) + HEARING_MS;
}

function stopMs(unit: SpecUnit | null): number {
  if (unit === null || unitNameParts(unit.service).type !== "service") return USUAL_STOP_MS;
  const read = ({ path, text }: { readonly path: string; readonly text: string }) => parseUnitFile(path, text).file;
  const stop = stopTimeOf(effectiveUnit(read(unit.fragment), unit.dropins.map(read)));
  return stop.kind === "bounded" ? totalMs(stop) : USUAL_STOP_MS;
}
