import type { CommitId } from "../src/domain/names.ts";
import type { RolloutStatus } from "../src/domain/report/rollout-status.ts";

/** Of release 2, which has begun. */
export const ROLLING: RolloutStatus = {
  ...{ seq: 2, commit: "c" as CommitId, phase: "rolling", since: "" },
  ...{ base: null, openRings: 1, failures: [], waits: [] },
};
