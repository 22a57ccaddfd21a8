import type { ClusterSnapshot } from "../domain/cluster/cluster-snapshot.ts";
import { newlyUnplaceable } from "../domain/plan/newly-unplaceable.ts";
import type { Plan } from "../domain/plan/plan.ts";
import { EXIT, type ExitCode } from "./exit-codes.ts";

/** 1 where a unit fits nowhere that fitted before; with `detailed` 2 where there are changes; else 0. */
export function planExitCode(plan: Plan, snapshot: ClusterSnapshot, detailed: boolean): ExitCode {
  if (newlyUnplaceable(plan, snapshot).length > 0) return EXIT.error;
  return detailed && plan.changes.length > 0 ? EXIT.changes : EXIT.done;
}
