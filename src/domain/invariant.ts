/** We are wrong: a promise of this program does not hold. Never caught to be ignored; the message is for its developers. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws an InvariantError unless the promise holds. Cheap enough to stay on in production. */
export function invariant(promise: unknown, message: string): asserts promise {
  if (!promise) throw new InvariantError(message);
}
