import type { Hold } from "../../domain/cluster/hold.ts";
import type { MachineId } from "../../domain/names.ts";
import { durationText } from "./duration-text.ts";
import { holdUntil } from "./hold-until.ts";
import { printable } from "./printable.ts";
import type { UnitHold } from "./unit-rows.ts";

/** One line each: what, by whom, until when, for how much longer, why. How much longer is by this machine's clock, for people. */
export function holdsText(holds: readonly Hold[], names: ReadonlyMap<MachineId, string>, nowMs: number): string {
  return holds.map((hold) => printable(holdText(hold, names, nowMs))).join("\n");
}

function holdText(hold: Hold, names: ReadonlyMap<MachineId, string>, nowMs: number): string {
  const { scope } = hold;
  const nameOf = (machine: MachineId) => names.get(machine) ?? machine;
  const what =
    scope.kind === "cluster"
      ? "the whole cluster"
      : scope.kind === "machine"
        ? `machine ${nameOf(scope.machine)}`
        : scope.unit;
  const where = hold.placedAt === undefined ? "" : ` (asked at ${nameOf(hold.placedAt)} itself, and ended there)`;
  return `hold: ${what}${where} is left as it is, ${heldText({ ...hold, until: holdUntil(hold) }, nowMs)}`;
}

/** By whom, until when, why. */
export function heldText({ by, until, reason }: UnitHold, nowMs: number): string {
  const left = until === null ? "" : ` until ${until} (${durationText(Math.max(0, Date.parse(until) - nowMs))} more)`;
  return `by ${by}${left}${reason === "" ? "" : `: ${reason}`}`;
}
