import { judgePeer, type PeerFacts, type PeerVerdict } from "../identity/judge-peer.ts";
import type { NodeKey } from "../identity/node-key.ts";
import type { MachineId } from "../names.ts";

/** Keys of engines that a machine may dial, each with the machine it runs on; null: pinned at the join, on whatever machine. */
export type EngineKeys = ReadonlyMap<NodeKey, MachineId | null>;

/** Whether what was dialled is one of this cluster's engines. `clusterId` null: this machine knows of no cluster yet; `nowMs`: wall clock. */
export function judgeEngine(
  facts: PeerFacts | null,
  engineKeys: EngineKeys,
  clusterId: string | null,
  nowMs: number,
): PeerVerdict {
  const keys = new Map<NodeKey, MachineId>();
  for (const [key, machine] of engineKeys) {
    // A pinned key says nothing of machines: whoever has it may be on any.
    const owner = machine ?? (key === facts?.key ? facts.uri?.machine : undefined);
    if (owner !== undefined) keys.set(key, owner);
  }
  return judgePeer(facts, { clusterId, role: "engine", keys, nowMs });
}
