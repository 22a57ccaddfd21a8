/**
 * Why an engine is not spoken with, or does not speak with this machine.
 * - the codes of `judgePeer`: what is wrong with the certificate of whoever is not accepted;
 * - `unreachable`: it does not take connections, or its name is not known; `silent`: no answer in time;
 * - `dropped`: it ends connections before it has said a word;
 * - `no-engine-keys`: this machine knows no engine's key, neither of its join nor of a commit.
 */
export const HUB_PROBLEMS = [
  "no-certificate",
  "malformed",
  "other-cluster",
  "wrong-role",
  "not-yet-valid",
  "expired",
  "wrong-key",
  "unlisted-key",
  "unreachable",
  "silent",
  "dropped",
  "no-engine-keys",
] as const;
export type HubProblem = (typeof HUB_PROBLEMS)[number];

/** What a machine that dials engines knows of them, for its people. */
export interface HubState {
  /** `host:port` of the engine in use; null: none carries anything. */
  readonly engine: string | null;
  /** Since when `engine` is that, as ISO text: for people. */
  readonly since: string;
  /** Engines that could not be used when they were last dialled, in the order of the address. */
  readonly failures: readonly HubFailure[];
  /** What an engine that is spoken with holds against this machine; null: nothing. */
  readonly denied: HubDenial | null;
}

export interface HubFailure {
  readonly engine: string;
  readonly problem: HubProblem;
  readonly detail: string;
  /** Of the first of these failures in a row, as ISO text. */
  readonly since: string;
}

export interface HubDenial {
  readonly problem: HubProblem;
  readonly detail: string;
}

export function isHubProblem(code: string): code is HubProblem {
  return (HUB_PROBLEMS as readonly string[]).includes(code);
}
