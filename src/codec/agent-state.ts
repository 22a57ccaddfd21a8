import type { AcceptedSet } from "../domain/cluster/judge-set.ts";
import type { CommitId, SpecHash, UnitHash, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** What an agent must remember across restarts and reboots, on its own disk. */
export interface AgentState {
  /** The cluster it belongs to; another one's registry is not obeyed. Null before the first release. */
  readonly clusterId: string | null;
  readonly clusterName: string;
  /** The high-water mark: moves forward only. */
  readonly accepted: AcceptedRelease | null;
  readonly set: AcceptedSet | null;
}

export interface AcceptedRelease {
  readonly seq: number;
  readonly commit: CommitId;
  readonly specHash: SpecHash;
}

/** A unit's text as accepted once, by hash: what a set names must be found here or in the accepted release. */
export type StoredUnit = Omit<WantedUnit, "goal">;

/** What fleet wrote into systemd's directory, in /run because it goes with it at a reboot. */
export interface OwnedUnit {
  readonly service: UnitName;
  /** Paths relative to the unit directory, also of a write that was begun and not finished. */
  readonly files: readonly string[];
  /** Null while a write is under way: then nothing is known to be whole. */
  readonly onDisk: UnitHash | null;
  readonly loaded: UnitHash | null;
  /** The hash last ordered to start, or adopted running; null where none was, or it was stopped since. */
  readonly started: UnitHash | null;
}

const STATE_SHAPE: Shape = { clusterId: "string?", clusterName: "string", accepted: "object?", set: "object?" };
const STORED_SHAPE: Shape = {
  name: "string",
  service: "string",
  hash: "string",
  files: "objects",
  after: "strings",
  oneshot: "boolean",
};
const OWNED_SHAPE: Shape = { units: "object?" };

export const encodeAgentState = (state: AgentState): string => `${encodeRecord(state)}\n`;
export const decodeAgentState = (text: string | null): AgentState | null => decodeOr(text, STATE_SHAPE);

export const encodeStoredUnit = (unit: StoredUnit): string => `${encodeRecord(unit)}\n`;
export const decodeStoredUnit = (text: string | null): StoredUnit | null => decodeOr(text, STORED_SHAPE);

export const encodeOwnedUnits = (units: ReadonlyMap<UnitName, OwnedUnit>): string =>
  `${encodeRecord({ units: Object.fromEntries(units) })}\n`;

export function decodeOwnedUnits(text: string | null): Map<UnitName, OwnedUnit> {
  const record = decodeOr<{ units: Record<UnitName, OwnedUnit> | null }>(text, OWNED_SHAPE);
  return new Map(Object.entries(record?.units ?? {}) as [UnitName, OwnedUnit][]);
}

/** A damaged or newer file counts as none: the registry, git and systemd can tell everything again. */
function decodeOr<T>(text: string | null, shape: Shape): T | null {
  if (text === null) return null;
  const decoded = decodeRecord<T>(text, shape);
  return decoded.kind === "record" ? decoded.record : null;
}
