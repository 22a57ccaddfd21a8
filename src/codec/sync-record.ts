import type { CommitId } from "../domain/names.ts";
import type { HeldReason } from "../domain/sync/judge-sync.ts";
import { type Decoded, decodeRecord, encodeRecord, type Shape } from "./record.ts";

/** `sync/now`: somebody wants the branch looked at now. */
export interface SyncAsk {
  /** Random: the answer names it. */
  readonly id: string;
  readonly by: string;
  /** RFC 3339, for people. */
  readonly at: string;
}

/** `engine/sync`: what came of the last look that was asked for. */
export interface SyncAnswer {
  /** `SyncAsk.id`. */
  readonly ask: string;
  readonly kind: "nothing-new" | "released" | "held" | "moved" | "trouble";
  readonly commit: CommitId | null;
  /** Of `held`. */
  readonly reason?: HeldReason;
  /** Of `trouble`. */
  readonly detail?: string;
  /** Of `released`. */
  readonly seq?: number;
}

const ASK_SHAPE: Shape = { id: "string", by: "string", at: "string" };
const ANSWER_SHAPE: Shape = { ask: "string", kind: "string", commit: "string?" };

export function encodeSyncAsk(ask: SyncAsk): string {
  return encodeRecord(ask);
}

export function decodeSyncAsk(text: string): Decoded<SyncAsk> {
  return decodeRecord(text, ASK_SHAPE);
}

export function encodeSyncAnswer(answer: SyncAnswer): string {
  return encodeRecord(answer);
}

export function decodeSyncAnswer(text: string): Decoded<SyncAnswer> {
  return decodeRecord(text, ANSWER_SHAPE);
}
