import type { LossVerdict } from "../loss/loss-verdict.ts";
import type { LossReport, LostMachine } from "./engine-report.ts";

/**
 * What a judge of losses says, for people; null where all machines are there and well and nothing has moved lately. `timeOf`: a moment of
 * the judge's monotonic clock as RFC 3339. It must give the same text for the same moment: a report is written on change.
 */
export function lossReport(verdict: LossVerdict, timeOf: (ms: number) => string): LossReport | null {
  const { mode, outage, hold, machines, budget } = verdict;
  const isMissing = [...machines.values()].some(({ presence }) => presence !== "present");
  // With nobody missing a hold keeps nothing back.
  const isQuiet = machines.size === 0 && budget.spent.length === 0 && mode === "normal";
  if (isQuiet) return null;
  return {
    mode,
    outage:
      outage === null
        ? null
        : { since: timeOf(outage.sinceMs), missing: outage.missing.length, of: outage.of, endsAt: outage.endsAt },
    hold: hold === null || !isMissing ? null : { because: hold.because, until: timeOf(hold.untilMs) },
    machines: [...machines].map(
      ([machine, { presence, waits, graces, flapping }]): LostMachine => ({
        machine,
        presence,
        ...(graces === null ? {} : { graces }),
        waits: waits === null ? null : { code: waits.code, until: "untilMs" in waits ? timeOf(waits.untilMs) : null },
        flapping: flapping === null ? null : { ...flappingOf(flapping), until: timeOf(flapping.untilMs) },
      }),
    ),
    budget:
      budget.spent.length === 0
        ? null
        : { unitsSpent: budget.unitsSpent, unitsMax: budget.unitsMax, machines: budget.spent.length },
  };
}

function flappingOf({ losses, cordons }: { readonly losses: number; readonly cordons: boolean }) {
  return { losses, cordons };
}
