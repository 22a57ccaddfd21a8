import type { MachineId } from "../names.ts";
import type { KeptOut } from "../rollout/admissible.ts";
import type { WaitingFor } from "./engine-report.ts";

/** As of the waits of a rollout that goes on. */
const UNITS_NAMED_MAX = 10;

/** What waits because a rollout keeps somebody in place that it may not meet: one entry a machine. `keptOut`: sorted by unit. */
export function keptOutWaits(keptOut: readonly KeptOut[]): readonly WaitingFor[] {
  const byMachine = new Map<MachineId, KeptOut[]>();
  for (const one of keptOut) {
    const others = byMachine.get(one.machine);
    if (others === undefined) byMachine.set(one.machine, [one]);
    else others.push(one);
  }
  return [...byMachine]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([machine, all]): WaitingFor => {
      const units = all.slice(0, UNITS_NAMED_MAX).map(({ unit }) => unit);
      return { code: "kept-out", units, more: all.length - units.length, machine, because: all[0]!.because };
    });
}
