import { encodeLockHeader } from "../codec/lock-records.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Lock, Waiter } from "../domain/locks/lock.ts";
import { UnknownResultError } from "../ports/operation-error.ts";
import type { Compare, Operation, Registry } from "../ports/registry.ts";

export interface LockWrite {
  readonly lock: Lock;
  /** Who waits from then on. */
  readonly waiting: readonly Waiter[];
  readonly slots?: number | null;
  /** What else is compared, and done, in the same transaction. */
  readonly when?: readonly Compare[];
  readonly then?: readonly Operation[];
  readonly op: string;
}

/**
 * Every change of a lock compares its header and rewrites it: of two that decided on the same picture one is made, so that nobody's slot
 * is counted too late. A late request finds another header. `unknown`: the reply was lost, and whoever asked must look again.
 */
export async function writeLock(
  registry: Registry,
  keys: RegistryKeys,
  { lock, waiting, slots = lock.slots, when = [], then = [], op }: LockWrite,
): Promise<"written" | "refused" | "unknown"> {
  const key = keys.lockHeader(lock.name);
  try {
    const { succeeded } = await registry.txn({
      when: [{ key, target: "mod", is: "=", value: lock.revision }, ...when],
      then: [{ kind: "put", key, value: encodeLockHeader({ slots, waiting }, op) }, ...then],
    });
    return succeeded ? "written" : "refused";
  } catch (error) {
    if (!(error instanceof UnknownResultError)) throw error;
    return "unknown";
  }
}
