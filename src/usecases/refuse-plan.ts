import type { Sha256 } from "../domain/names.ts";
import { type Plan, RULES_VERSION } from "../domain/plan/plan.ts";
import { contentIdOf, planIdOf } from "../domain/plan/plan-changes.ts";
import { OperationError } from "../ports/operation-error.ts";

/** What of the plan itself forbids to apply it, whatever the cluster is like: `plan-partial`, `plan-rules`, `plan-altered` or `budget`. */
export function refusePlan(plan: Plan, sha256: Sha256): void {
  if (plan.partial !== null) {
    throw new OperationError("plan-partial", `this plan shows ${plan.partial} only and cannot be applied`, {
      next: "plan a whole commit",
    });
  }
  if (plan.rules !== RULES_VERSION) {
    throw new OperationError(
      "plan-rules",
      `the plan was made with placement rules ${plan.rules}, this fleet has ${RULES_VERSION} and might decide otherwise`,
      { next: "plan again with this fleet" },
    );
  }
  if (isAltered(plan, sha256)) {
    throw new OperationError("plan-altered", "the plan is not as it was made: its contents and its ids differ", {
      next: "plan again",
    });
  }
  refuseOverBudget(plan);
}

/** Plans are values that nobody changes: one that was found whole is hashed once, although each step before a release asks. */
const whole = new WeakSet<Plan>();

/** What was reviewed is what is applied: a plan edited by hand has other contents than its ids say. */
export function isAltered(plan: Plan, sha256: Sha256): boolean {
  if (whole.has(plan)) return false;
  if (contentIdOf(plan, sha256) !== plan.contentId || planIdOf(plan, sha256) !== plan.planId) return true;
  whole.add(plan);
  return false;
}

function refuseOverBudget({ refusals }: Plan): void {
  const [first] = refusals;
  if (first === undefined) return;
  const { wave, set, up, of, min, now } = first;
  const more = refusals.length > 1 ? ` (and ${refusals.length - 1} more such)` : "";
  throw new OperationError(
    "budget",
    `wave ${wave} would leave ${up} of ${of} ${set} up, its budget is at least ${min} and ${now} are up now${more}; nothing was changed`,
    { next: `allow it: rollout: { maxUnavailable: … } of ${set} in the manifest, or split the commit` },
  );
}
