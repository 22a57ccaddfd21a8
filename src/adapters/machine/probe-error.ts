import { OperationError } from "../../ports/operation-error.ts";

/** What a failed look at the machine comes to: `not-allowed` where root would see, `probe-failed` otherwise. */
export function probeError(doing: string, error: unknown): OperationError {
  if (error instanceof OperationError) return error;
  const { code = "" } = error as NodeJS.ErrnoException;
  const isDenied = code === "EACCES" || code === "EPERM";
  return new OperationError(isDenied ? "not-allowed" : "probe-failed", `${doing} (${code})`, { cause: error });
}
