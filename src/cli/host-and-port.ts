import { OperationError } from "../ports/operation-error.ts";

/** `host:port` as its two parts. */
export function hostAndPort(text: string): { host: string; port: number } {
  const match = /^\[?([^\]]+?)\]?:(\d{1,5})$/.exec(text);
  if (match === null) throw new OperationError("bad-address", `${text} is not host:port`);
  return { host: match[1]!, port: Number(match[2]) };
}
