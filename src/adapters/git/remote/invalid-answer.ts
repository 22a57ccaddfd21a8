import { OperationError } from "../../../ports/operation-error.ts";

/** What came over the network is not what a git server may send. */
export function invalidAnswer(what: string, cause?: unknown): OperationError {
  return new OperationError("source-answer-invalid", `the source did not answer as a git server does: ${what}`, {
    cause,
    next: "check that the address is that of a git repository",
  });
}
