import { OperationError } from "../../ports/operation-error.ts";

const CODES: Readonly<Record<string, { readonly code: string; readonly next: string }>> = {
  ENOSPC: { code: "disk-full", next: "make room: df -h, df -i" },
  EDQUOT: { code: "disk-full", next: "raise the quota of the user the daemon runs as" },
  EROFS: { code: "read-only", next: "mount it read-write; the kernel mounts a broken disk read-only: dmesg" },
  EACCES: { code: "access-denied", next: "the daemon's user must own it" },
  EPERM: { code: "access-denied", next: "look at lsattr: it may be immutable" },
  EISDIR: { code: "not-a-file", next: "a folder is where the file should be" },
};

/** What the disk said, with the path in question; what is ours already stays. */
export function diskError(
  act: "read" | "write" | "remove" | "move" | "list",
  path: string,
  error: unknown,
): OperationError {
  if (error instanceof OperationError) return error;
  const { code = "unknown", message } = error as NodeJS.ErrnoException;
  const known = CODES[code];
  return new OperationError(known?.code ?? "disk-error", `cannot ${act} ${path}: ${message}`, {
    cause: error,
    ...(known === undefined ? {} : { next: known.next }),
  });
}
