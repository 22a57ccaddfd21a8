import { encodeHold, holdKey } from "../codec/hold-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { Hold, HoldScope } from "../domain/cluster/hold.ts";
import type { RandomId } from "../ports/clock.ts";
import type { Registry } from "../ports/registry.ts";

/**
 * Holds something, or holds it longer: the newest word on a scope counts. Under a lease nobody renews, so that it ends by itself,
 * whoever is there then. A lost reply is harmless: the same again holds the same.
 */
export async function placeHold(registry: Registry, keys: RegistryKeys, hold: Hold, newId: RandomId): Promise<void> {
  const lease = await registry.grantLease(hold.forMs);
  const value = encodeHold(hold, newId());
  await registry.txn({ when: [], then: [{ kind: "put", key: holdKey(keys, hold), value, lease }] });
}

/** Whether there was one to end. */
export async function endHold(registry: Registry, keys: RegistryKeys, scope: HoldScope): Promise<boolean> {
  const key = holdKey(keys, { scope });
  const { succeeded } = await registry.txn({
    when: [{ key, target: "create", is: ">", value: 0 }],
    then: [{ kind: "delete", key }],
  });
  return succeeded;
}
