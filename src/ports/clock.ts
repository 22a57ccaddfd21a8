/** Time as an argument. Wall time is for people only; every decision about waiting uses `monotonicMs`. */
export interface Clock {
  /** Milliseconds since the epoch; may jump. */
  wallMs(): number;
  /** Milliseconds since some fixed point; never goes back. */
  monotonicMs(): number;
  /** Resolves after that long, or at once when the signal aborts (it never rejects: look at the signal). */
  sleep(milliseconds: number, signal?: AbortSignal): Promise<void>;
}

/** Randomness as an argument: 32 hexadecimal digits nobody else has. */
export type RandomId = () => string;
