import type { CommitId } from "../names.ts";
import type { RolloutPhase, RolloutRecord } from "../rollout/rollout-record.ts";

/** Where the leading engine says how a commit fares: the manifest's `status:`. */
export interface StatusPolicy {
  readonly forge: "github";
  /** An absolute path on the machines of engines. */
  readonly tokenFile: string;
}

/** What stands beside a commit at its forge. */
export interface CommitStatus {
  readonly commit: CommitId;
  readonly state: "pending" | "success" | "failure";
  /** At most DESCRIPTION_MAX characters. */
  readonly description: string;
}

/** GitHub's limit. */
export const DESCRIPTION_MAX = 140;

/** A rollback is a failure of the commit it went away from, however well it ended. */
const STATES: Readonly<Record<RolloutPhase, CommitStatus["state"]>> = {
  rolling: "pending",
  paused: "pending",
  done: "success",
  held: "failure",
  aborted: "failure",
  "rolling-back": "failure",
  "rolled-back": "failure",
};

const WORDS: Readonly<Record<RolloutPhase, string>> = {
  rolling: "is rolled out",
  paused: "is paused",
  done: "runs everywhere",
  held: "is held",
  aborted: "was aborted",
  "rolling-back": "is rolled back",
  "rolled-back": "was rolled back",
};

/** How the release fares, by its rollout's record; null: no engine has begun. */
export function convergenceStatus(
  { seq, commit }: { readonly seq: number; readonly commit: CommitId },
  rollout: Pick<RolloutRecord, "phase" | "failures"> | null,
): CommitStatus {
  const phase = rollout?.phase ?? "rolling";
  const failed = [...new Set((rollout?.failures ?? []).map(({ unit }) => unit))];
  const because = failed.length === 0 || STATES[phase] !== "failure" ? "" : `: ${failed.join(", ")} failed`;
  const description = `release ${seq} ${WORDS[phase]}${because}`;
  const isLong = description.length > DESCRIPTION_MAX;
  return {
    commit,
    state: STATES[phase],
    description: isLong ? `${description.slice(0, DESCRIPTION_MAX - 1)}…` : description,
  };
}

/** Phases that nothing follows, unless somebody says so. */
export function isSettled(phase: RolloutPhase | undefined): boolean {
  return phase === "done" || phase === "rolled-back" || phase === "aborted";
}

export const GITHUB = "github.com";

/**
 * `owner/name` of a source on that forge, of the first of several (by commas); null for any other: a token is sent to nobody else. `host`:
 * GITHUB, or an Enterprise's, in lower case and with its port where it has one.
 */
export function githubRepository(source: string, host: string): string | null {
  return (
    source
      .split(",")
      .map((one) => repositoryOf(one.trim(), host))
      .find((name) => name !== null) ?? null
  );
}

function repositoryOf(address: string, host: string): string | null {
  const [, at = "", path] =
    // An Enterprise in a network of its own may do without a certificate; GitHub never does.
    (host === GITHUB ? /^https:\/\/(?:[^/@]*@)?([^/@]+)\/(.+)$/i : /^https?:\/\/(?:[^/@]*@)?([^/@]+)\/(.+)$/i).exec(
      address,
    ) ??
    /^(?:ssh:\/\/)?git@([^/:@]+)[:/](.+)$/i.exec(address) ??
    [];
  if (at.toLowerCase() !== host) return null;
  const name = path?.replace(/\/$/, "").replace(/\.git$/, "");
  return name !== undefined && /^[A-Za-z0-9-]{1,39}\/[A-Za-z0-9._-]{1,100}$/.test(name) && !/\/\.{1,2}$/.test(name)
    ? name
    : null;
}
