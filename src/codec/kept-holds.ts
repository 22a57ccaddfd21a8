import { HOLD_MAX_MS, type Hold, parseHoldScope, printHoldScope } from "../domain/cluster/hold.ts";
import { parseMachineId } from "../domain/names.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** A hold as an agent remembers it across its own restarts. */
export interface KeptHold {
  /** Where the agent knows it from: its key in the registry and that key's modification, or its scope on the machine's own socket. */
  readonly id: string;
  readonly hold: Hold;
  /** Milliseconds it had left when this was written, 0 where it had outlived its time because its registry had not ended it. */
  readonly leftMs: number;
}

const FILE_SHAPE: Shape = { holds: "objects" };
const KEPT_SHAPE: Shape = {
  id: "string",
  scope: "string",
  reason: "string",
  by: "string",
  at: "string",
  forMs: "number",
  leftMs: "number",
  placedAt: "string?",
};

export function encodeKeptHolds(holds: readonly KeptHold[]): string {
  const records = holds.map(({ id, leftMs, hold: { scope, placedAt = null, ...hold } }) => ({
    ...hold,
    id,
    scope: printHoldScope(scope),
    leftMs: Math.round(leftMs),
    placedAt,
  }));
  return `${encodeRecord({ holds: records })}\n`;
}

/** Those that can be read, none with more left than any hold may have. */
export function decodeKeptHolds(text: string | null): KeptHold[] {
  const decoded = text === null ? null : decodeRecord<{ holds: readonly object[] }>(text, FILE_SHAPE);
  if (decoded?.kind !== "record") return [];
  return decoded.record.holds.flatMap((record) => {
    if (!hasShape(record, KEPT_SHAPE)) return [];
    const { id, scope: text, leftMs, placedAt, reason, by, at, forMs } = record as Record<string, never>;
    const scope = parseHoldScope(text!);
    const machine = placedAt === null ? null : parseMachineId(placedAt!);
    if (scope === null || (placedAt !== null && machine === null)) return [];
    const hold = { scope, reason: reason!, by: by!, at: at!, forMs: forMs! };
    const left = Math.min(Math.max(0, leftMs!), HOLD_MAX_MS);
    return [{ id: id!, hold: machine === null ? hold : { ...hold, placedAt: machine }, leftMs: left }];
  });
}
