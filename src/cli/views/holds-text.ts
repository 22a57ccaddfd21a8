import type { Hold } from "../../domain/cluster/hold.ts";
import type { MachineId } from "../../domain/names.ts";
import { printable } from "./printable.ts";

/** One line each: what, by whom, for how much longer, why. How much longer is by this machine's clock, for people. */
export function holdsText(holds: readonly Hold[], names: ReadonlyMap<MachineId, string>, nowMs: number): string {
  return holds.map((hold) => printable(holdText(hold, names, nowMs))).join("\n");
}

function holdText(hold: Hold, names: ReadonlyMap<MachineId, string>, nowMs: number): string {
  const { scope, by, at, forMs, reason } = hold;
  const what =
    scope.kind === "cluster"
      ? "the whole cluster"
      : scope.kind === "machine"
        ? `machine ${names.get(scope.machine) ?? scope.machine}`
        : scope.unit;
  const leftMs = Math.max(0, Date.parse(at) + forMs - nowMs);
  const left = Number.isNaN(leftMs) ? "" : `, ${durationText(leftMs)} more`;
  return `hold: ${what} is left as it is, by ${by}${left}${reason === "" ? "" : `: ${reason}`}`;
}

function durationText(ms: number): string {
  const minutes = Math.ceil(ms / 60_000);
  if (minutes <= 1) return `${Math.ceil(ms / 1000)} s`;
  return minutes < 120 ? `${minutes} min` : `${Math.floor(minutes / 60)} h`;
}
