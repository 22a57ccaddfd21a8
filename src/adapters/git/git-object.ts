import { hash } from "node:crypto";
import type { ObjectType } from "../../ports/object-source.ts";
import { OperationError } from "../../ports/operation-error.ts";

export interface GitObject {
  readonly type: ObjectType;
  readonly content: Buffer;
}

/** The repository's own data is damaged (bit rot, a half-written file): a mirror is thrown away for it, a local repository is not. */
export function corrupt(what: string, cause?: unknown): OperationError {
  return new OperationError("object-corrupt", `git object data is damaged: ${what}`, {
    cause,
    next: "run `git fsck` in that repository",
  });
}

/** `bytes`: null where it is only known to be too large. */
export function tooLarge(oid: string, bytes: number | null, maxBytes: number): OperationError {
  const has = bytes === null ? "" : `${bytes} bytes, `;
  return new OperationError(
    "blob-too-large",
    `git object ${oid} has ${has}more than the ${maxBytes}${bytes === null ? " bytes" : ""} allowed`,
    {
      next: "take the large file out of the folders fleet reads",
    },
  );
}

/** What git names an object by. Its type is part of it. */
export function objectId({ type, content }: { readonly type: ObjectType; readonly content: Uint8Array }): string {
  return hash("sha1", Buffer.concat([Buffer.from(`${type} ${content.length}\0`), content]));
}
