import type { ClusterIdentity, Member, Release, SetHeader, UnitStatus } from "../domain/cluster/cluster-snapshot.ts";
import type { MachineId, UnitHash, UnitName } from "../domain/names.ts";
import type { EngineReport } from "../domain/report/engine-report.ts";
import type { UnitGoal } from "../domain/spec/cluster-spec.ts";
import type { OwnHold } from "./hold-record.ts";
import type { Shape } from "./record.ts";

/** The registry's records, one shape each; keys are in registry-keys.ts. `op` is the writer's operation id, to read back after a lost reply. */
export type ClusterRecord = ClusterIdentity;
export const CLUSTER_SHAPE: Shape = {
  id: "string",
  name: "string",
  source: "string",
  branch: "string",
  manifest: "string",
  epoch: "number",
};

export type ReleaseRecord = Release & { readonly op: string };
export const RELEASE_SHAPE: Shape = {
  seq: "number",
  commit: "string",
  specHash: "string",
  contentId: "string",
  planId: "string",
  parent: "string?",
  by: "string",
  at: "string",
  op: "string",
};

export type LeaderRecord = { readonly machine: string; readonly term: number; readonly op: string };
export const LEADER_SHAPE: Shape = { machine: "string", term: "number", op: "string" };

export type TermRecord = { readonly term: number };
export const TERM_SHAPE: Shape = { term: "number" };

export type AssignRecord = {
  readonly machine: MachineId;
  readonly hash: UnitHash;
  readonly goal: UnitGoal;
  /** As of `Assignment`. */
  readonly reason: string;
  /** RFC 3339, for people: since when it is there. An older engine did not say. */
  readonly at?: string;
};
export const ASSIGN_SHAPE: Shape = { machine: "string", hash: "string", goal: "string", reason: "string" };

/** `at` as of `AssignRecord`. */
export type SetRecord = SetHeader & { readonly op: string; readonly at?: string };
export const SET_SHAPE: Shape = {
  epoch: "number",
  generation: "number",
  count: "number",
  digest: "string",
  op: "string",
};

export type PlacementRecord = { readonly hash: UnitHash; readonly goal: UnitGoal };
export const PLACEMENT_SHAPE: Shape = { hash: "string", goal: "string" };

export type MemberRecord = Omit<
  Member,
  "id" | "unrecorded" | "present" | "presenceRevision" | "heardWithinMs" | "holds"
> & {
  readonly holds?: readonly OwnHold[];
};
export const MEMBER_SHAPE: Shape = {
  name: "string",
  address: "string",
  metadata: "texts",
  bootId: "string",
  version: "string",
  joined: "string",
  acceptedSeq: "number",
};

/** `ttlMs`: of the lease it hangs on, so that people are told how old a present machine's word may be. */
export type PresenceRecord = { readonly bootId: string; readonly op: string; readonly ttlMs?: number };
export const PRESENCE_SHAPE: Shape = { bootId: "string", op: "string" };

/** Another machine, or another boot of the same, asks whoever is present under this machine id to show itself. */
export type ClaimRecord = { readonly name: string; readonly address: string; readonly op: string };
export const CLAIM_SHAPE: Shape = { name: "string", address: "string", op: "string" };

export type StatusRecord = Omit<UnitStatus, "unit" | "machine">;
export const STATUS_SHAPE: Shape = {
  load: "string",
  active: "string",
  sub: "string",
  hash: "string?",
  since: "string",
  result: "string",
  invocation: "string",
  started: "boolean",
  problem: "object?",
};

/** Ephemeral: under the engine's lease. An older engine's has fewer fields. */
export type ReportRecord = EngineReport;
export const REPORT_SHAPE: Shape = { leader: "string", releaseSeq: "number", problem: "string?", unplaced: "objects" };

/** One entry of a spec's index: for people and for lists, never for deciding what runs. */
export type IndexedUnit = {
  readonly name: UnitName;
  readonly goal: UnitGoal;
  readonly hash: UnitHash;
  readonly global: boolean;
  readonly group: string;
  readonly description: string;
};
export type SpecChunkRecord = { readonly units: readonly IndexedUnit[] };
export const SPEC_CHUNK_SHAPE: Shape = { units: "objects" };

export type PlanChunkRecord = { readonly text: string };
export const PLAN_CHUNK_SHAPE: Shape = { text: "string" };
