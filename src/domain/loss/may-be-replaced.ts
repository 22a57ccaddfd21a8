import type { SpecUnit } from "../spec/cluster-spec.ts";
import type { GracesOver } from "./loss-verdict.ts";

/**
 * Whether a group may be placed anew while its machine is lost: only when every one of its units may, since they go together. Without
 * word on graces (what a loss would do in the end) all are over.
 */
export function mayBeReplaced(units: readonly Pick<SpecUnit, "replace">[], graces: GracesOver | undefined): boolean {
  return units.every(({ replace }) => {
    if (replace === "no") return false;
    if (graces === undefined) return true;
    return replace === undefined ? graces.cluster : replace.afterMs <= graces.ownMs;
  });
}

/** Whether one of the units waits for its machine, however long it is lost. */
export function awaitsMachine(units: readonly Pick<SpecUnit, "replace">[]): boolean {
  return units.some(({ replace }) => replace === "no");
}
