import { decodeLosses, encodeLosses, NO_MEMORY } from "../codec/loss-record.ts";
import type { RegistryKeys } from "../codec/registry-keys.ts";
import type { LossMemory } from "../domain/loss/loss-memory.ts";
import type { Compare, Registry } from "../ports/registry.ts";

/** What the leader before has left. To be read by one that leads by now: from then on nobody else writes it. */
export async function readLosses(registry: Registry, keys: RegistryKeys): Promise<LossMemory> {
  const { entries } = await registry.list(keys.losses, { exact: true });
  const [entry] = entries;
  return entry === undefined ? NO_MEMORY : decodeLosses(entry.value);
}

/**
 * Leaves it to the next leader; to be done before anything moves by it. An empty one takes the key away. Answers whether whoever
 * is meant by `leader` still leads: if not, nothing was written. A lost reply rejects; writing it again does no harm.
 */
export async function keepLosses(
  registry: Registry,
  keys: RegistryKeys,
  leader: Compare,
  memory: LossMemory,
): Promise<boolean> {
  const isEmpty = memory.spent.length + memory.flaps.length === 0;
  const { succeeded } = await registry.txn({
    when: [leader],
    then: [
      isEmpty ? { kind: "delete", key: keys.losses } : { kind: "put", key: keys.losses, value: encodeLosses(memory) },
    ],
  });
  return succeeded;
}
