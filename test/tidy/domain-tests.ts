/**
 * Files of the domain without a test of their own name, and the test that holds them: a decider's parts are tested through
 * the decider, where their inputs are legal by construction. The test must import the file, directly or not.
 */
export const TESTED_THROUGH: Readonly<Record<string, readonly string[]>> = {
  "src/domain/unit/parse-unit-file.test.ts": ["src/domain/unit/print-unit-file.ts", "src/domain/unit/unit-file.ts"],
  "src/domain/unit/unit-name.test.ts": ["src/domain/invariant.ts", "src/domain/names.ts"],
  "src/domain/unit/unit-ties.test.ts": [
    "src/domain/unit/activated-units.ts",
    "src/domain/unit/mount-dependencies.ts",
    "src/domain/unit/quadlet-problems.ts",
    "src/domain/unit/quadlet-references.ts",
    "src/domain/unit/unit-reference.ts",
  ],
  "src/domain/unit/read-fleet-options.test.ts": [
    "src/domain/unit/option-contradictions.ts",
    "src/domain/unit/parse-spread.ts",
    "src/domain/unit/resource-requests.ts",
  ],
  "src/domain/lint/mask-secrets.test.ts": ["src/domain/lint/find-secrets.ts", "src/domain/lint/secret-value.ts"],
  "src/domain/lint/lint-directives.test.ts": ["src/domain/unit/old-spellings.ts"],
  "src/domain/lint/lint-rules.test.ts": [
    "src/domain/lint/dependency-contradictions.ts",
    "src/domain/lint/lint-manifest.ts",
    "src/domain/lint/lint-unit-file.ts",
    "src/domain/lint/lint-unit.ts",
    "src/domain/lint/registry-port.ts",
    "src/domain/lint/reserved-names.ts",
    "src/domain/lint/why-refused.ts",
  ],
  "src/domain/unit/unit-effect.test.ts": [
    "src/domain/unit/changed-directives.ts",
    "src/domain/unit/directive-effects.ts",
    "src/domain/unit/effect-in-context.ts",
  ],
  "src/domain/spec/at-most-one.test.ts": [
    "src/domain/spec/at-most-one-dropin.ts",
    "src/domain/spec/reserved-dropins.ts",
  ],
  "src/domain/unit/local-state.test.ts": ["src/domain/unit/host-mounts.ts"],
  "src/domain/spec/compile-spec.test.ts": [
    "src/domain/diagnostic.ts",
    "src/domain/spec/collect-files.ts",
    "src/domain/spec/companions-of.ts",
    "src/domain/spec/compile-machines.ts",
    "src/domain/spec/draft-unit.ts",
    "src/domain/spec/draft-units.ts",
    "src/domain/spec/environment-dropin.ts",
    "src/domain/spec/group-contradictions.ts",
    "src/domain/spec/group-units.ts",
    "src/domain/spec/list-units.ts",
    "src/domain/spec/order-units.ts",
    "src/domain/spec/repository-files.ts",
    "src/domain/spec/unit-on-machine.ts",
    "src/domain/spec/unit-settings.ts",
  ],
  "src/domain/placement/place-units.test.ts": [
    "src/domain/placement/atoms.ts",
    "src/domain/placement/glob-index.ts",
    "src/domain/placement/homes-of.ts",
    "src/domain/placement/least-loaded.ts",
    "src/domain/placement/machine-room.ts",
    "src/domain/placement/place-groups.ts",
    "src/domain/placement/static-fit.ts",
    "src/domain/placement/unit-hashes.ts",
    "src/domain/placement/who-minds.ts",
    "src/domain/placement/why-unplaced.ts",
  ],
  "src/domain/tasks/plan-tasks.test.ts": ["src/domain/tasks/acts.ts", "src/domain/tasks/effect-here.ts"],
  "src/domain/plan/plan-changes.test.ts": [
    "src/domain/plan/basis-of.ts",
    "src/domain/plan/diff-placements.ts",
    "src/domain/plan/newly-unplaceable.ts",
    "src/domain/plan/plan-verdict.ts",
  ],
  "src/domain/doctor/judge-machine.test.ts": [
    "src/domain/doctor/judge-cluster.ts",
    "src/domain/doctor/judge-daemons.ts",
    "src/domain/doctor/judge-disk.ts",
    "src/domain/doctor/judge-memory.ts",
    "src/domain/doctor/judge-outside.ts",
    "src/domain/doctor/judge-registry.ts",
    "src/domain/doctor/judge-systemd.ts",
  ],
  "src/domain/testing/judge-test.test.ts": ["src/domain/testing/expectation.ts"],
  "src/domain/plan/what-if.test.ts": ["src/domain/placement/lose-machines.ts"],
  "src/domain/rollout/plan-rollout.test.ts": [
    "src/domain/rollout/circles-of.ts",
    "src/domain/rollout/number-heap.ts",
    "src/domain/rollout/order-steps.ts",
    "src/domain/rollout/replica-sets.ts",
    "src/domain/rollout/rollout-steps.ts",
    "src/domain/rollout/step-edges.ts",
    "src/domain/rollout/wave-maker.ts",
  ],
  "src/domain/rollout/next-writes.test.ts": [
    "src/domain/rollout/judge-settling.ts",
    "src/domain/rollout/next-wave.ts",
    "src/domain/rollout/replica-states.ts",
  ],
  "src/domain/cluster/convergence.test.ts": ["src/domain/cluster/seen-units.ts"],
  "src/domain/plan/carried-along.test.ts": ["src/domain/unit/socket-users.ts", "src/domain/unit/stop-propagation.ts"],
};

/** Files no fast test reaches yet, each with the reason it may stay so for now. */
export const UNTESTED: Readonly<Record<string, string>> = {
  "src/domain/tasks/wanted-unit.ts": "puts two tested results into one value; run by the agent's tests on the model",
};
