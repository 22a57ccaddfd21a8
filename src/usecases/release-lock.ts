import type { Slot, Waiter } from "../domain/locks/lock.ts";
import { OperationError } from "../ports/operation-error.ts";
import { readLock } from "./read-lock.ts";
import type { LockPorts } from "./take-lock.ts";
import { writeLock } from "./write-lock.ts";

const ATTEMPTS_MAX = 200;

/** What was there to be given back. */
export interface Released {
  readonly slot: Slot | null;
  readonly waiter: Waiter | null;
}

/**
 * Gives a slot back, or leaves the line, whoever asks: a person may do so for others. Neither there is no error. `id`: only that very slot,
 * and not one that was taken under the same name since.
 */
export async function releaseLock(
  { registry, keys, newId }: Pick<LockPorts, "registry" | "keys" | "newId">,
  name: string,
  holder: string,
  id?: string,
): Promise<Released> {
  let released: Released = { slot: null, waiter: null };
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    const lock = await readLock(registry, keys, name);
    const slot = lock.held.find((one) => one.holder === holder && (id === undefined || one.id === id)) ?? null;
    const waiter = lock.waiting.find((one) => one.holder === holder) ?? null;
    // After a lost reply it may be gone: then it was ours to take away.
    if (slot === null && waiter === null) return released;
    const result = await writeLock(registry, keys, {
      lock,
      op: newId(),
      waiting: lock.waiting.filter((one) => one !== waiter),
      then: slot === null ? [] : [{ kind: "delete", key: keys.lock(name, holder) }],
    });
    if (result.kind === "written") return { slot, waiter };
    if (result.kind === "unknown") released = { slot, waiter };
  }
  throw new OperationError(
    "lock-contended",
    `lock ${name} changed at each of ${ATTEMPTS_MAX} attempts to give it back`,
  );
}
