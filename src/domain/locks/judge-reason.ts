/** Why a machine wants to restart. */
export interface RebootReason {
  readonly text: string;
  /** Another one: it has appeared again since, as a file that was written anew. Empty where nothing tells. */
  readonly mark: string;
}

/** What a machine remembers of its last restart, across it. */
export interface RebootMemory {
  /** The boot that ended for the reason. */
  readonly boot: string;
  readonly reason: string;
  /** The mark of a reason that was there when it came back; null: it has not looked, or there was none. */
  readonly left: string | null;
}

export type ReasonVerdict =
  /** Nothing wants a restart. */
  | "none"
  /** It is to restart. */
  | "restart"
  /** It did, and the reason is as it was: once more would help no better. */
  | "left";

/**
 * One restart for each time a reason appears. A reason that outlives the restart it asked for would ask for ever; it is told, and asks again
 * once it has been gone, or was given anew since the first look after the restart. A restart that was asked for and never came goes on.
 */
export function judgeReason(
  reason: RebootReason | null,
  boot: string,
  memory: RebootMemory | null,
): { readonly verdict: ReasonVerdict; readonly memory: RebootMemory | null } {
  if (reason === null) return { verdict: "none", memory: null };
  if (memory === null || memory.boot === boot) return { verdict: "restart", memory };
  if (memory.left === null) return { verdict: "left", memory: { ...memory, left: reason.mark } };
  return memory.left === reason.mark ? { verdict: "left", memory } : { verdict: "restart", memory };
}
