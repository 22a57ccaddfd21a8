import type { NotifyTarget } from "../domain/notify/notify-policy.ts";

/** What somebody is told. */
export interface Message {
  readonly event: string;
  /** JSON, one line; holds no secret. */
  readonly body: string;
}

/**
 * Tells somebody outside of the cluster. Rejects with OperationError (`notify-failed`, `notify-refused`), in whose text no more of an address
 * stands than its host. Every call ends within a limit of its own.
 */
export interface Notifier {
  send(target: NotifyTarget, message: Message): Promise<void>;
}
