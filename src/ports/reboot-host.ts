import type { RebootReason } from "../domain/locks/judge-reason.ts";

/** The machine a reboot guard stands on. */
export interface RebootHost {
  /** Of the boot that runs now; another one after each restart. */
  readonly bootId: string;
  /** What wants it to restart, or null. Rejects with OperationError where that cannot be told. */
  reason(): Promise<RebootReason | null>;
  /** Asks systemd to stop everything in order and restart; resolves once that is under way. */
  reboot(): Promise<void>;
}
