/** Who looks after a daemon as a process, as systemd does: ends and restarts one whose loop stands still, and shows how it is. */
export interface Supervisor<Condition> {
  /** The daemon's loop has come round, and that is how things are. Said in every turn; passed on where it is news. */
  turned(condition: Condition): void;
}

/** Nobody: for tests and simulations. */
export const UNSUPERVISED: Supervisor<unknown> = { turned: () => undefined };
