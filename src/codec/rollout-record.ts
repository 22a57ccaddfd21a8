import {
  EXCUSED_MAX,
  FAILURES_MAX,
  type ReleaseId,
  type RolloutOrder,
  type RolloutPhase,
  type RolloutRecord,
} from "../domain/rollout/rollout-record.ts";
import type { Rollouts, StoredOrder, StoredRollout } from "../domain/rollout/rollouts.ts";
import type { Entry } from "../ports/registry.ts";
import { type Decoded, decodeRecord, encodeRecord, hasShape, type Shape } from "./record.ts";

const ROLLOUT_SHAPE: Shape = {
  release: "object?",
  base: "object?",
  phase: "string",
  openRings: "number",
  soakedMs: "number",
  bakes: "objects",
  failures: "objects",
  orderRevision: "number",
  since: "string",
};
const RELEASE_ID: Shape = { seq: "number", commit: "string", specHash: "string" };
const REPLICA: Shape = { unit: "string", machine: "string" };
const FAILURE: Shape = { ...REPLICA, because: "object?" };
const REASON: Shape = { code: "string", detail: "string" };
const BAKE: Shape = { set: "string", healthyForMs: "number" };
const ORDER_SHAPE: Shape = { order: "string", by: "string", at: "string" };

const PHASES: Readonly<Record<RolloutPhase, true>> = {
  rolling: true,
  done: true,
  paused: true,
  aborted: true,
  held: true,
  "rolling-back": true,
  "rolled-back": true,
};
const ORDERS: ReadonlySet<string> = new Set(["pause", "resume", "abort"]);
/** Sets of replicas with canaries in one commit; more are taken for not baked. */
const BAKES_MAX = 1_000;
/** Characters of an order's reason; it is a line for people. */
export const REASON_MAX = 500;

export const encodeRollout = (record: RolloutRecord): string => encodeRecord(record);
export const encodeOrder = (order: RolloutOrder, op: string): string => encodeRecord({ ...order, op });

/** What is damaged in a list is left out; a record without release, base or a phase this fleet knows is none. */
export function decodeRollout(text: string): Decoded<RolloutRecord> {
  const decoded = decodeRecord<RolloutRecord>(text, ROLLOUT_SHAPE);
  if (decoded.kind !== "record") return decoded;
  const { record } = decoded;
  if (!isReleaseId(record.release)) return { kind: "garbage", problem: "release is none" };
  if (record.base !== null && !isReleaseId(record.base)) return { kind: "garbage", problem: "base is no release" };
  if (!Object.hasOwn(PHASES, record.phase)) return { kind: "garbage", problem: `phase ${record.phase} is not known` };
  const { excused, bakes, failures, ...rest } = record;
  return {
    kind: "record",
    record: {
      ...rest,
      openRings: Math.max(1, Math.floor(record.openRings)),
      soakedMs: Math.max(0, record.soakedMs),
      bakes: bakes.filter((bake) => hasShape(bake, BAKE)).slice(0, BAKES_MAX),
      failures: failures
        .filter((failure) => hasShape(failure, FAILURE) && hasShape(failure.because, REASON))
        .slice(0, FAILURES_MAX),
      ...(Array.isArray(excused)
        ? { excused: excused.filter((replica) => hasShape(replica, REPLICA)).slice(0, EXCUSED_MAX) }
        : {}),
    },
  };
}

export function decodeOrder(text: string): Decoded<RolloutOrder> {
  const decoded = decodeRecord<RolloutOrder>(text, ORDER_SHAPE);
  if (decoded.kind === "record" && !ORDERS.has(decoded.record.order))
    return { kind: "garbage", problem: `order ${decoded.record.order} is not known` };
  return decoded;
}

/** Gathers the entries of rollouts and of the orders people gave them. */
export class RolloutEntries {
  readonly #records: StoredRollout[] = [];
  readonly #orders: StoredOrder[] = [];

  /** What was made of the entry, where it is no record of this fleet's. */
  readRecord(entry: Entry, seqText: string): Exclude<Decoded<unknown>, { kind: "record" }> | null {
    const seq = seqOf(seqText);
    if (seq === null) return { kind: "garbage", problem: "no release's number in the key" };
    const decoded = decodeRollout(entry.value);
    const record = decoded.kind === "record" ? decoded.record : null;
    this.#records.push({ seq, record, modRevision: entry.modRevision });
    return decoded.kind === "record" ? null : decoded;
  }

  readOrder(entry: Entry, seqText: string): Exclude<Decoded<unknown>, { kind: "record" }> | null {
    const seq = seqOf(seqText);
    if (seq === null) return { kind: "garbage", problem: "no release's number in the key" };
    const decoded = decodeOrder(entry.value);
    if (decoded.kind !== "record") return decoded;
    const { order, by, at, reason } = decoded.record;
    const why = typeof reason === "string" ? { reason: reason.slice(0, REASON_MAX) } : {};
    this.#orders.push({ seq, order, by, at, ...why, revision: entry.modRevision });
    return null;
  }

  /** Null where there are none. */
  finish(): Rollouts | null {
    if (this.#records.length === 0 && this.#orders.length === 0) return null;
    return {
      records: this.#records.sort((a, b) => a.seq - b.seq),
      orders: this.#orders.sort((a, b) => a.seq - b.seq),
    };
  }
}

function isReleaseId(value: unknown): value is ReleaseId {
  return hasShape(value, RELEASE_ID);
}

function seqOf(text: string): number | null {
  return /^\d{1,15}$/.test(text) ? Number(text) : null;
}
