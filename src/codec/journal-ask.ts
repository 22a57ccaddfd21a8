import { parseMachineId } from "../domain/names.ts";
import { type JournalAsk, LINES_MAX } from "../domain/reach/judge-ask.ts";
import { parseUnitName } from "../domain/unit/unit-name.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** Characters: a unit's name of 256, three ids, and what is around them. */
export const ASK_TEXT_MAX = 2_048;
const ID_MAX = 64;

const SHAPE: Shape = {
  clusterId: "string",
  from: "string",
  to: "string",
  unit: "string",
  lines: "number",
  follow: "boolean",
  json: "boolean",
  atMs: "number",
  id: "string",
};

export const encodeJournalAsk = (ask: JournalAsk): string => encodeRecord({ ...ask, do: "journal" });

/** Null for what is none, or asks for more than there may be. */
export function decodeJournalAsk(text: string): JournalAsk | null {
  if (text.length > ASK_TEXT_MAX) return null;
  const decoded = decodeRecord<JournalAsk & { readonly do: unknown }>(text, SHAPE);
  if (decoded.kind !== "record" || decoded.record.do !== "journal") return null;
  const { clusterId, from, to, unit, lines, follow, json, atMs, id } = decoded.record;
  const machines = [parseMachineId(from), parseMachineId(to)] as const;
  const isBounded = Number.isInteger(lines) && lines >= 0 && lines <= LINES_MAX && id !== "" && id.length <= ID_MAX;
  if (machines[0] === null || machines[1] === null || !isBounded || parseUnitName(unit) === null) return null;
  return { clusterId, from: machines[0], to: machines[1], unit, lines, follow, json, atMs, id };
}

/** What is signed: no signature of anything else a machine's key signs is one of this. */
export function signedBytesOf(text: string): Buffer {
  return Buffer.from(`fleet journal ask\n${text}`);
}
