/** Exit codes are an interface: scripts and the Action depend on them. docs/exit-codes in the README. */
export const EXIT = {
  done: 0,
  error: 1,
  /** `plan --detailed-exitcode`: there are changes. */
  changes: 2,
  /** `validate`: a wrong argument or flag, which must not pass for a finding. */
  usage: 2,
  /** `apply FILE`: what the plan read has moved; nothing was changed. */
  stale: 3,
  /** `apply`: somebody else applies, for longer than it may wait; nothing was changed. */
  locked: 4,
  /** Applied, but not converged within the time allowed. */
  notConverged: 5,
} as const;

export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

/** The command has said everything there is to say; only its exit code is left. */
export class SilentExit extends Error {
  override readonly name = "SilentExit";
  readonly code: ExitCode;

  constructor(code: ExitCode) {
    super(`exit ${code}`);
    this.code = code;
  }
}
