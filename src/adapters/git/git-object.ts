import { OperationError } from "../../ports/operation-error.ts";

export type GitObjectType = "commit" | "tree" | "blob" | "tag";

export interface GitObject {
  readonly type: GitObjectType;
  readonly content: Buffer;
}

/** The repository's own data is damaged (bit rot, a half-written file): a mirror is thrown away for it, a local repository is not. */
export function corrupt(what: string, cause?: unknown): OperationError {
  return new OperationError("object-corrupt", `git object data is damaged: ${what}`, {
    cause,
    next: "run `git fsck` in that repository",
  });
}

export function tooLarge(oid: string, bytes: number, maxBytes: number): OperationError {
  return new OperationError(
    "blob-too-large",
    `git object ${oid} has ${bytes} bytes, more than the ${maxBytes} allowed`,
    {
      next: "take the large file out of the folders fleet reads",
    },
  );
}
