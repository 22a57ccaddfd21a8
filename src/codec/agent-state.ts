import type { ClusterIdentity, KeptSet, PlacedUnit, Release } from "../domain/cluster/cluster-snapshot.ts";
import type { AcceptedSet } from "../domain/cluster/judge-set.ts";
import type { Refusal, RefusedUnit } from "../domain/confirm/refusal.ts";
import type { Undo } from "../domain/confirm/undo.ts";
import type { Taken } from "../domain/fencing/judge-following.ts";
import type { CommitId, MachineId, SpecHash, UnitHash, UnitName } from "../domain/names.ts";
import type { WantedUnit } from "../domain/tasks/task.ts";
import { isRewind, type Rewind } from "../domain/trust/rewind.ts";
import { isIdentity, isRelease } from "./kept-record.ts";
import { decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

/** What an agent must remember across restarts and reboots, on its own disk. */
export interface AgentState {
  /** The cluster it belongs to; another one's registry is not obeyed. Null before the first release. */
  readonly clusterId: string | null;
  readonly clusterName: string;
  /** The high-water mark: moves forward only. */
  readonly accepted: AcceptedRelease | null;
  /** The commit of the last release that is known here to have ended well: none from before it is gone back to. Absent: none is known. */
  readonly floor?: CommitId;
  readonly set: AcceptedSet | null;
  /** Why the commit accepted last does not descend from the one before it. Absent: it does. */
  readonly rewound?: Rewind;
  /** What runs since the set before is on trial against: there until the machine was reached after the change. Absent: nothing is. */
  readonly trial?: Trial;
  /** What of the set is not taken, because the machine could not be reached with it. Absent: all is. */
  readonly refusal?: Refusal;
}

/** A set that is new here, and what to go back to. On disk before anything of it is done. */
export interface Trial {
  /** What changed, with what to go back to. */
  readonly undo: readonly Undo[];
  /** How many times an agent came up and found it so. */
  readonly starts: number;
}

export interface AcceptedRelease {
  readonly seq: number;
  readonly commit: CommitId;
  readonly specHash: SpecHash;
  /** As the registry had them, to be given back to one that has lost them. Absent: of an older agent. */
  readonly records?: { readonly identity: ClusterIdentity; readonly release: Release };
}

/** What the registry is held against. */
export function takenOf({ clusterId, accepted, set }: AgentState): Taken {
  if (accepted === null) return { clusterId, release: null, set };
  const { seq, commit, records } = accepted;
  return { clusterId, release: { epoch: records?.identity.epoch ?? 1, seq, commit }, set };
}

/** What it has to tell a registry that does not show it; null where there is nothing. */
export function keptOf({ accepted, set }: AgentState, machine: MachineId): KeptSet | null {
  if (accepted?.records === undefined) return null;
  // Without a set it runs nothing yet, and knows its cluster all the same.
  return {
    machine,
    ...accepted.records,
    ...(set ?? { epoch: accepted.records.identity.epoch, generation: 0, placements: [] }),
  };
}

/** A unit's text as accepted once, by hash: what a set names must be found here or in the accepted release. */
export type StoredUnit = Omit<WantedUnit, "goal" | "adopt" | "anew">;

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

/** Of every text that may be on disk, held by systemd or running. */
export function hashesInForce(units: ReadonlyMap<UnitName, OwnedUnit>): UnitHash[] {
  return [...units.values()]
    .flatMap(({ onDisk, loaded, started }) => [onDisk, loaded, started])
    .filter((hash) => hash !== null);
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
const ANNOUNCEMENT_SHAPE: Shape = { name: "string", port: "number", transport: "string" };
const CHECK_SHAPE: Shape = { kind: "string" };
const CHECKS: readonly Shape[] = [{ host: "string", port: "number" }, { argv: "strings" }];
const OWNED_SHAPE: Shape = { units: "object?" };
const OWNED_UNIT_SHAPE: Shape = {
  service: "string",
  files: "strings",
  onDisk: "string?",
  loaded: "string?",
  started: "string?",
};
const FILE_SHAPE: Shape = { path: "string", text: "string" };
const ACCEPTED_SHAPE: Shape = { seq: "number", commit: "string", specHash: "string" };
const SET_SHAPE: Shape = { epoch: "number", generation: "number", placements: "objects" };
const PLACED_SHAPE: Shape = { unit: "string", hash: "string", goal: "string" };
const TRIAL_SHAPE: Shape = { undo: "objects", starts: "number" };
const UNDO_SHAPE: Shape = { unit: "string", kept: "object?" };
const REFUSAL_SHAPE: Shape = { since: "string", withinMs: "number", units: "objects", renew: "strings" };
const REFUSED_SHAPE: Shape = { unit: "string", offered: "object?", kept: "object?", risky: "boolean" };

export const encodeAgentState = (state: AgentState): string => `${encodeRecord(state)}\n`;
export function decodeAgentState(text: string | null): AgentState | null {
  const state = decodeOr<AgentState>(text, STATE_SHAPE);
  if (state === null) return null;
  const { accepted, set } = state;
  const isWhole =
    (accepted === null || hasShape(accepted, ACCEPTED_SHAPE)) &&
    (set === null || (hasShape(set, SET_SHAPE) && set.placements.every(isPlaced)));
  return isWhole ? withoutDamage({ ...state, accepted: withoutDamagedRecords(accepted) }) : null;
}

/** Without them nothing can be given back; what is in force stays. */
function withoutDamagedRecords(accepted: AcceptedRelease | null): AcceptedRelease | null {
  if (accepted?.records === undefined) return accepted;
  const { records, ...rest } = accepted;
  return records !== null && isIdentity(records.identity) && isRelease(records.release) ? accepted : rest;
}

/** A trial or a refusal that cannot be read is none: the set is what counts. */
function withoutDamage({ trial, refusal, floor, rewound, ...state }: AgentState): AgentState {
  const isTrial = trial != null && hasShape(trial, TRIAL_SHAPE) && trial.undo.every(isUndo);
  const isRefused = (one: RefusedUnit) =>
    hasShape(one, REFUSED_SHAPE) && [one.offered, one.kept].every((placed) => placed === null || isPlaced(placed));
  const isRefusal = refusal != null && hasShape(refusal, REFUSAL_SHAPE) && refusal.units.every(isRefused);
  const known = { ...(typeof floor === "string" ? { floor } : {}), ...(isRewind(rewound) ? { rewound } : {}) };
  return { ...state, ...known, ...(isTrial ? { trial } : {}), ...(isRefusal ? { refusal } : {}) };
}

function isUndo(undo: Undo): boolean {
  return hasShape(undo, UNDO_SHAPE) && (undo.kept === null || isPlaced(undo.kept));
}

function isPlaced(placed: PlacedUnit): boolean {
  return hasShape(placed, PLACED_SHAPE);
}

export const encodeStoredUnit = (unit: StoredUnit): string => `${encodeRecord(unit)}\n`;
export function decodeStoredUnit(text: string | null): StoredUnit | null {
  const unit = decodeOr<StoredUnit>(text, STORED_SHAPE);
  const isWhole =
    unit?.files.every((file) => hasShape(file, FILE_SHAPE)) &&
    areChecks(unit.healthChecks ?? []) &&
    areAnnouncements(unit.announce ?? []);
  return isWhole ? unit : null;
}

function areAnnouncements(announced: unknown): boolean {
  return Array.isArray(announced) && announced.every((one) => hasShape(one, ANNOUNCEMENT_SHAPE));
}

function areChecks(checks: unknown): boolean {
  const isCheck = (one: unknown) => hasShape(one, CHECK_SHAPE) && CHECKS.some((shape) => hasShape(one, shape));
  return Array.isArray(checks) && checks.every(isCheck);
}

export const encodeOwnedUnits = (units: ReadonlyMap<UnitName, OwnedUnit>): string =>
  `${encodeRecord({ units: Object.fromEntries(units) })}\n`;

export function decodeOwnedUnits(text: string | null): Map<UnitName, OwnedUnit> {
  const record = decodeOr<{ units: Record<UnitName, OwnedUnit> | null }>(text, OWNED_SHAPE);
  const units = Object.entries(record?.units ?? {}) as [UnitName, OwnedUnit][];
  return new Map(units.filter(([, unit]) => hasShape(unit, OWNED_UNIT_SHAPE)));
}

/** A damaged or newer file counts as none: the registry, git and systemd can tell everything again. */
function decodeOr<T>(text: string | null, shape: Shape): T | null {
  if (text === null) return null;
  const decoded = decodeRecord<T>(text, shape);
  return decoded.kind === "record" ? decoded.record : null;
}
