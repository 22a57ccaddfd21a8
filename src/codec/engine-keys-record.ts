import { type NodeKey, parseNodeKey } from "../domain/identity/node-key.ts";
import { type MachineId, parseMachineId } from "../domain/names.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** The engine keys of the accepted commit, on a machine's own disk: `<state>/engine-keys.json`. */
export const ENGINE_KEYS_FILE = "engine-keys.json";

interface EngineKeysRecord {
  readonly keys: readonly { readonly key: string; readonly machine: string }[];
}

const RECORD_SHAPE: Shape = { keys: "objects" };
const KEY_SHAPE: Shape = { key: "string", machine: "string" };

export function encodeEngineKeys(keys: ReadonlyMap<NodeKey, MachineId>): string {
  const listed = [...keys].map(([key, machine]) => ({ key, machine }));
  return `${encodeRecord({ keys: listed } satisfies EngineKeysRecord)}\n`;
}

/** Null where there is none, or one that is damaged or a newer fleet's: then what was pinned at the join counts again. */
export function decodeEngineKeys(text: string | null): ReadonlyMap<NodeKey, MachineId> | null {
  if (text === null) return null;
  const decoded = decodeRecord<EngineKeysRecord>(text, RECORD_SHAPE);
  if (decoded.kind !== "record") return null;
  const keys = new Map<NodeKey, MachineId>();
  for (const one of decoded.record.keys) {
    const key = hasShape(one, KEY_SHAPE) ? parseNodeKey(one.key) : null;
    const machine = hasShape(one, KEY_SHAPE) ? parseMachineId(one.machine) : null;
    if (key === null || machine === null) return null;
    keys.set(key, machine);
  }
  return keys.size === 0 ? null : keys;
}
