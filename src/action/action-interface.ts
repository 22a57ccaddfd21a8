/** What a workflow may give, and what it gets: `action.yml` describes each of them, and a test holds the two lists together. */
export const INPUTS = [
  "command",
  "working-directory",
  "manifest",
  "registry",
  "state",
  "etcd-ca",
  "etcd-cert",
  "etcd-key",
  "source",
  "branch",
  "plan-file",
  "out",
  "auto-approve",
  "allow-deletes",
  "timeout",
  "lock-timeout",
  "signing-key",
  "n-1",
  "detailed-exitcode",
  "fail-on-changes",
  "comment",
  "label",
  "status",
  "step-summary",
  "github-token",
] as const;
export type InputName = (typeof INPUTS)[number];

export const OUTPUTS = [
  "exitcode",
  "changes",
  "summary",
  "failure-reason",
  "to-add",
  "to-change",
  "to-remove",
  "to-move",
  "to-restart",
  "survives-loss",
  "drift",
  "plan-path",
  "json-plan-path",
  "text-plan-path",
  "plan-id",
  "content-id",
  "commit",
  "registry-revision",
  "release",
  "comment-url",
  "issue-url",
  "lock-info",
  "warnings",
] as const;
export type OutputName = (typeof OUTPUTS)[number];

export const COMMANDS = ["plan", "apply", "approve", "check", "validate", "test"] as const;
export type CommandName = (typeof COMMANDS)[number];
