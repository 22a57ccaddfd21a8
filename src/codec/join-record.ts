import { type NodeKey, parseNodeKey } from "../domain/identity/node-key.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** What a machine pinned when it joined: whom it takes for its cluster until an accepted commit says more. In `<state>/join.json`. */
export interface JoinRecord {
  /** `host:port` of each, as `hub://` takes them; none: it does not dial engines. */
  readonly engines: readonly string[];
  readonly engineKeys: readonly NodeKey[];
  /** The cluster's random id. */
  readonly clusterId: string;
  readonly cluster: string;
  readonly source: string | null;
  readonly branch: string;
  readonly manifest: string;
}

/** The name of its file in the state directory. */
export const JOIN_FILE = "join.json";

const JOIN_SHAPE: Shape = {
  engines: "strings",
  engineKeys: "strings",
  clusterId: "string",
  cluster: "string",
  source: "string?",
  branch: "string",
  manifest: "string",
};

export function encodeJoin(join: JoinRecord): string {
  return `${encodeRecord(join)}\n`;
}

/** A damaged or newer file counts as none, and so does one with a key that is none: nobody is trusted by halves. */
export function decodeJoin(text: string | null): JoinRecord | null {
  if (text === null) return null;
  const decoded = decodeRecord<JoinRecord>(text, JOIN_SHAPE);
  if (decoded.kind !== "record") return null;
  const { engineKeys } = decoded.record;
  return engineKeys.every((key) => parseNodeKey(key) !== null) ? decoded.record : null;
}
