import { decodeLock, decodeLocks } from "../codec/lock-records.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Lock } from "../domain/locks/lock.ts";
import type { Entry, Registry } from "../ports/registry.ts";

/** One lock, all of it at one revision. */
export async function readLock(registry: Registry, keys: RegistryKeys, name: string): Promise<Lock> {
  const { listings } = await registry.txn({
    when: [],
    then: [
      { kind: "list", prefix: keys.lockHeader(name), exact: true },
      { kind: "list", prefix: `${keys.lockHeader(name)}/` },
    ],
  });
  return decodeLock(keys, name, listings.flat() as Entry[]);
}

/** Those that somebody holds or waits for, by name. */
export async function readLocks(registry: Registry, keys: RegistryKeys): Promise<Lock[]> {
  const { entries } = await registry.list(keys.locks);
  return decodeLocks(keys, entries).filter(({ held, waiting }) => held.length + waiting.length > 0);
}
