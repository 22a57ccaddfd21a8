import type { Diagnostic, SourceLocation } from "../diagnostic.ts";
import type { UnitName } from "../names.ts";
import { stopAfterMsOf } from "../unit/on-disconnect.ts";
import type { DraftUnit } from "./draft-unit.ts";
import { type LeaseProblem, leaseProblems, STOP_SLACK_MS } from "./lease-bound.ts";

/** Units that are to run at most once, and would not be gone when their machine's lease is. */
export function atMostOneDiagnostics(
  units: readonly DraftUnit[],
  after: ReadonlyMap<UnitName, readonly UnitName[]>,
  ttlMs: number,
): readonly Diagnostic[] {
  const byName = new Map(units.map((unit) => [unit.name, unit]));
  const stoppable = units.map(({ name, service, effective, onDisconnect }) => {
    const stopAfterMs = onDisconnect === null ? null : stopAfterMsOf(onDisconnect.value);
    return { name, service, effective, after: after.get(name) ?? [], stopAfterMs };
  });
  return leaseProblems(stoppable, ttlMs).map((problem) => diagnosticOf(problem, byName.get(problem.unit)!, ttlMs));
}

function diagnosticOf(problem: LeaseProblem, unit: DraftUnit, ttlMs: number): Diagnostic {
  const { value, at } = unit.onDisconnect!;
  const [via, which] =
    problem.of === problem.unit
      ? ["", "it"]
      : [` of ${problem.of}, which is stopped with it and has to be gone first`, problem.of];
  if (problem.kind === "endless") {
    const saw = `${value} for ${unit.name}, with ${problem.stop.saw}${via}: nobody knows when ${which} has stopped`;
    return error("stop-after-endless", problem.stop.at, saw, { next: problem.stop.next });
  }
  const { needMs, limitMs, stopMs, steps, fittingStepMs } = problem;
  const own = needMs - stopMs - STOP_SLACK_MS;
  const saw =
    `${value} for ${unit.name}: ${seconds(own)} without the lease, up to ${seconds(stopMs)} to stop${via}, and ` +
    `${seconds(STOP_SLACK_MS)} to spare are ${seconds(needMs)}`;
  const expected = `at most ${seconds(limitMs)}: after agentTtl, ${seconds(ttlMs)}, the machine may count as gone`;
  const missing = `raise loss.agentTtl to ${seconds(Math.ceil((needMs * ttlMs) / limitMs / 1000) * 1000)}, or stop sooner`;
  // Of a step one tenth of a second is no time to end in.
  const next =
    fittingStepMs < 500
      ? missing
      : `TimeoutStopSec=${seconds(fittingStepMs).replace(" ", "")} in ${problem.of} fits (it has ${steps} steps${steps === 2 ? ", and one with KillMode=mixed" : ""}); or ${missing}`;
  return error("stop-after-too-long", problem.at ?? at, saw, { expected, next });
}

function seconds(milliseconds: number): string {
  return `${Math.round(milliseconds / 100) / 10} s`;
}

function error(
  code: string,
  at: SourceLocation,
  saw: string,
  more: { readonly expected?: string; readonly next: string },
): Diagnostic {
  return { code, severity: "error", at, saw, ...more };
}
