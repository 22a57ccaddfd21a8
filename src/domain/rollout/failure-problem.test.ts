import assert from "node:assert/strict";
import { test } from "node:test";
import { failureProblem } from "./failure-problem.ts";
import type { RolloutFailureReason } from "./rollout-record.ts";

interface Case {
  readonly because: RolloutFailureReason;
  readonly code: string;
  readonly detail: string;
}

const failed = (detail: string): RolloutFailureReason => ({ code: "failed", detail });
const late = (detail: string): RolloutFailureReason => ({ code: "deadline", afterMs: 1, detail });

const CASES: Readonly<Record<string, Case>> = {
  "systemd's word that it failed": {
    because: failed("failed: systemd says exit-code"),
    code: "failed",
    detail: "systemd says exit-code",
  },
  "another problem, by its own name": {
    because: failed("start-failed: no such program"),
    code: "start-failed",
    detail: "no such program",
  },
  "a unit that has ended, which is no problem of its own": {
    because: failed("inactive (dead)"),
    code: "failed",
    detail: "inactive (dead)",
  },
  "a deadline, whatever the unit was at": {
    because: late("timeout: still starting"),
    code: "deadline",
    detail: "not healthy in time: timeout: still starting",
  },
};

for (const [name, { because, code, detail }] of Object.entries(CASES)) {
  test(name, () => assert.deepEqual(failureProblem({ because }), { code, detail, journal: [] }));
}
