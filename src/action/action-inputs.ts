import { parseDuration } from "../domain/spec/duration.ts";
import { OperationError } from "../ports/operation-error.ts";
import { COMMANDS, type CommandName, type InputName } from "./action-interface.ts";
import type { Runner } from "./runner.ts";

/** When a plan is written under the pull request: always, where it changes something, as a new comment each time, or never. */
export const COMMENT_MODES = ["true", "changes-only", "always-new", "false"] as const;
export type CommentMode = (typeof COMMENT_MODES)[number];

export interface ActionInputs {
  readonly command: CommandName;
  readonly workingDirectory: string;
  readonly manifest: string;
  /** `none` where the workflow names no cluster: what no machine is known for is then shown as such. */
  readonly registry: string;
  /** A path, a URL or a ref of what an engine published and signed; null: the registry itself. */
  readonly state: string | null;
  readonly etcd: { readonly ca: string; readonly cert: string; readonly key: string };
  readonly source: string | undefined;
  readonly branch: string | undefined;
  readonly planFile: string | null;
  readonly out: string | null;
  readonly autoApprove: boolean;
  readonly allowDeletes: boolean;
  readonly timeoutMs: number;
  readonly lockTimeoutMs: number;
  /** OpenSSH's private key as text; empty: an approval is not signed. */
  readonly signingKey: string;
  readonly eachLost: boolean;
  readonly detailedExitCode: boolean;
  readonly failOnChanges: boolean;
  readonly comment: CommentMode;
  readonly label: string;
  /** Whether a status stands beside the commit. */
  readonly status: boolean;
  readonly stepSummary: boolean;
  readonly token: string;
}

/** A label stands in comments and titles. */
const LABEL_MAX = 100;

/** Everything the workflow gave, or one error that says all that is wrong with it. */
export function readInputs(runner: Runner): ActionInputs {
  const problems: string[] = [];
  const text = (name: InputName, fallback: string) => runner.input(name) || fallback;
  const oneOf = <T extends string>(name: InputName, known: readonly T[], fallback: T): T => {
    const given = text(name, fallback);
    if (known.includes(given as T)) return given as T;
    problems.push(`${name} is ${JSON.stringify(given)}, and must be one of ${known.join(", ")}`);
    return fallback;
  };
  const flag = (name: InputName, fallback: boolean) => {
    const given = text(name, String(fallback)).toLowerCase();
    if (given !== "true" && given !== "false")
      problems.push(`${name} is ${JSON.stringify(given)}, and must be true or false`);
    return given === "true";
  };
  const duration = (name: InputName, fallback: string) => {
    const given = text(name, fallback);
    const milliseconds = parseDuration(given);
    if (milliseconds === null)
      problems.push(`${name} is ${JSON.stringify(given)}, and must be a duration such as 90s or 5m`);
    return milliseconds ?? 0;
  };
  const optional = (name: InputName) => runner.input(name) || null;
  const label = runner.input("label");
  if (label.length > LABEL_MAX || /[\r\n]/.test(label))
    problems.push(`label must be one line of at most ${LABEL_MAX} characters`);
  if (runner.input("command") === "") problems.push(`command is missing, and must be one of ${COMMANDS.join(", ")}`);
  const inputs: ActionInputs = {
    command: oneOf("command", COMMANDS, "plan"),
    workingDirectory: text("working-directory", "."),
    manifest: text("manifest", "fleet.yaml"),
    registry: text("registry", "none"),
    state: optional("state"),
    etcd: { ca: runner.input("etcd-ca"), cert: runner.input("etcd-cert"), key: runner.input("etcd-key") },
    source: optional("source") ?? undefined,
    branch: optional("branch") ?? undefined,
    planFile: optional("plan-file"),
    out: optional("out"),
    autoApprove: flag("auto-approve", false),
    allowDeletes: flag("allow-deletes", false),
    timeoutMs: duration("timeout", "5m"),
    lockTimeoutMs: duration("lock-timeout", "5m"),
    signingKey: runner.input("signing-key"),
    eachLost: flag("n-1", false),
    detailedExitCode: flag("detailed-exitcode", false),
    failOnChanges: flag("fail-on-changes", false),
    comment: oneOf("comment", COMMENT_MODES, "true"),
    label,
    status: flag("status", false),
    stepSummary: flag("step-summary", true),
    token: runner.input("github-token"),
  };
  if (inputs.state !== null && inputs.registry !== "none") problems.push("give either state or registry, and not both");
  if (problems.length === 0) return inputs;
  throw new OperationError("usage", problems.join("; "), { next: "docs/action.md lists every input" });
}
