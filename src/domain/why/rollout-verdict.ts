import type { MachineId, UnitName } from "../names.ts";
import type { RolloutStatus } from "../report/rollout-status.ts";
import { failureProblem } from "../rollout/failure-problem.ts";
import { replicaSetOf } from "../unit/replica-set-of.ts";
import type { WhyVerdict } from "./unit-explanation.ts";

/**
 * What the rollout keeps of a unit whose version is to change, is to come or to go; null: nothing but its wave. `ring`: of its machine, counted from
 * 0; null where the commit has none or nobody knows it.
 */
export function rolloutVerdict(
  rollout: RolloutStatus | null,
  {
    unit,
    machine,
    ring,
  }: { readonly unit: UnitName; readonly machine: MachineId | null; readonly ring: number | null },
): WhyVerdict | null {
  if (rollout === null) return null;
  const waits = (because: "phase" | "ring" | "canaries"): WhyVerdict => ({
    state: "waits",
    because: { code: "rollout", because, rollout },
    link: "engine",
  });
  const { phase, failures, baking = [], openRings, window } = rollout;
  switch (phase) {
    case "done":
      return null;
    case "paused":
    case "rolling-back":
      return waits("phase");
    case "rolling":
      // While a window is waited for, nothing that is left can go on.
      if (ring !== null && (ring >= openRings || window !== undefined)) return waits("ring");
      return baking.some(({ set }) => set === replicaSetOf(unit)) ? waits("canaries") : null;
    case "held":
    case "aborted":
    case "rolled-back": {
      const own = failures.find((one) => one.unit === unit && one.machine === machine);
      const [first] = failures;
      if (own !== undefined) {
        return { state: "stuck", because: { code: "problem", problem: failureProblem(own) }, link: "engine" };
      }
      const isHeld = phase === "held" && first !== undefined;
      return {
        state: "stuck",
        because: isHeld ? { code: "held", by: first.unit } : { code: "stopped", phase },
        link: "engine",
      };
    }
  }
}
