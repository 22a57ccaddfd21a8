import { OperationError } from "../ports/operation-error.ts";

/** Old fleet's form: `k=v,k=v`, split at the first `=`; a pair without one is an error here, where fleet ignored it. */
export function parseMetadata(text: string): Record<string, string> {
  const pairs = text
    .split(",")
    .map((pair) => pair.trim())
    .filter((pair) => pair !== "");
  return Object.fromEntries(
    pairs.map((pair) => {
      const at = pair.indexOf("=");
      if (at > 0) return [pair.slice(0, at).trim(), pair.slice(at + 1).trim()];
      throw new OperationError("bad-metadata", `metadata ${pair} is not key=value`, {
        next: "write it like role=db,zone=a",
      });
    }),
  );
}
