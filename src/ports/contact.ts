/** Somebody beyond this machine whose answer shows that it is not cut off. */
export interface Contact {
  /** For people: `the registry`, `the source`. */
  readonly name: string;
  /** Resolves with an answer to what was sent after the call; rejects with OperationError. */
  ask(): Promise<void>;
}
