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

export type LockWritten =
  | { readonly kind: "written"; readonly revision: number }
  | { readonly kind: "refused" }
  /** The reply was lost: whoever asked must look again. */
  | { readonly kind: "unknown" };

/**
 * Every change of a lock compares its header and rewrites it: of two that decided on the same picture one is made, so that nobody's slot
 * is counted too late. A late request finds another header.
 */
export async function writeLock(
  registry: Registry,
  keys: RegistryKeys,
  { lock, waiting, slots = lock.slots, when = [], then = [], op }: LockWrite,
): Promise<LockWritten> {
  const key = keys.lockHeader(lock.name);
  try {
    const { succeeded, revision } = await registry.txn({
      when: [{ key, target: "mod", is: "=", value: lock.revision }, ...when],
      then: [{ kind: "put", key, value: encodeLockHeader({ slots, waiting }, op) }, ...then],
    });
    return succeeded ? { kind: "written", revision } : { kind: "refused" };
  } catch (error) {
    if (!(error instanceof UnknownResultError)) throw error;
    return { kind: "unknown" };
  }
}
