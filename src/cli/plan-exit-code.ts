import { EXIT, type ExitCode } from "./exit-codes.ts";
import type { Planned } from "./plan-from-flags.ts";

/** 1 where a unit fits nowhere that fitted before, a wave breaks a budget, or a loss that was asked about leaves something down; with `detailed` 2 where there are changes, or units no machine is known for yet; else 0. */
export function planExitCode({ plan, newlyUnplaceable, whatIf }: Planned, detailed: boolean): ExitCode {
  if (newlyUnplaceable.length > 0 || plan.refusals.length > 0) return EXIT.error;
  if (whatIf.some(({ down }) => down.length > 0)) return EXIT.error;
  const changes = plan.changes.length + plan.unknown.length;
  return detailed && changes > 0 ? EXIT.changes : EXIT.done;
}
