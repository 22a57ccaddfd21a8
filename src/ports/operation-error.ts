/**
 * The world said no. `message` says what we were doing and what came back; `next` what a person can do about it; the cause
 * is chained and printed once, at the edge. `code` is stable and kebab-case (`registry-unreachable`, `job-timeout`, …).
 */
export class OperationError extends Error {
  override readonly name: string = "OperationError";
  readonly code: string;
  readonly next: string | undefined;

  constructor(code: string, message: string, options: { cause?: unknown; next?: string } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
  }
}

/**
 * A write whose reply was lost: it may or may not have happened. Never retried blindly; the writer reads back the record's
 * operation id and decides.
 */
export class UnknownResultError extends OperationError {
  override readonly name = "UnknownResultError";
}
