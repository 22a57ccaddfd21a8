/** What the registry shows of whoever is present under this machine's id. */
export interface ShownPresence {
  readonly bootId: string;
  /** It rises when its agent answers a claim. */
  readonly modRevision: number;
}

export interface IdentityInput {
  readonly bootId: string;
  /** Null: nobody is there. */
  readonly presence: ShownPresence | null;
  /** The revision of our own claim to the id, or null where the registry shows none. */
  readonly claimRevision: number | null;
  /** How long we have waited for an answer to it, in milliseconds. */
  readonly waitedMs: number;
  /** It was answered before. */
  readonly wasRefused: boolean;
}

/**
 * - `ours`: the id is free, or we have it.
 * - `ask`: another boot of this id is present: claim the id, so that its agent shows itself if it lives.
 * - `wait`: it was asked and has not answered yet.
 * - `silent`: it does not answer: this machine before its boot, whose lease has not ended. Its units are ours; presence comes with the lease's end.
 * - `refused`: it answered. Another machine has this id, as with a cloned image.
 */
export type IdentityVerdict = "ours" | "ask" | "wait" | "silent" | "refused";

/**
 * How long an answer may take: an agent hears of a claim at once and answers with its next pass, which takes a second or two where systemd
 * is busy. A machine that came back within its own lease starts its units that much later, and no clone starts any before it is found out.
 */
export const ANSWER_PATIENCE_MS = 5_000;

/**
 * Whether the agent of this boot may act for its machine id (protocol rule 6: a clone is refused by name). Another boot id alone tells
 * nothing: it is also what a machine has after a crash. Who was refused stays so until its agent is started anew: where the other one's lease
 * ends for a moment, two machines would take turns.
 */
export function judgeIdentity(input: IdentityInput): IdentityVerdict {
  const { bootId, presence, claimRevision, waitedMs, wasRefused } = input;
  if (presence?.bootId === bootId) return "ours";
  if (presence === null) return wasRefused ? "refused" : "ours";
  if (claimRevision === null) return "ask";
  if (wasRefused || presence.modRevision > claimRevision) return "refused";
  return waitedMs < ANSWER_PATIENCE_MS ? "wait" : "silent";
}
