import { status } from "@grpc/grpc-js";
import type { ByteRange } from "../mvcc/byte-range.ts";
import { FrontRefusal, notServed } from "./front-error.ts";

/** What a range of the wire is in words of the port: one key, or a prefix, of which it may begin later (a page of a list). */
export interface TextSpan {
  readonly prefix: string;
  readonly exact: boolean;
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Bytes that are text, as everything in the registry is. Throws FrontRefusal. */
export function textOf(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch (cause) {
    throw new FrontRefusal(status.INVALID_ARGUMENT, `a key or value is no UTF-8: ${String(cause)}`);
  }
}

/** Throws FrontRefusal where it is neither: no client of ours asks for anything else, and a scope could not judge it. */
export function spanOf({ from, to, single }: ByteRange): TextSpan {
  if (single) return { prefix: textOf(Buffer.from(from, "latin1")), exact: true };
  if (to === null) return { prefix: "", exact: false };
  const last = to.charCodeAt(to.length - 1);
  const prefix = last === 0 ? to : to.slice(0, -1) + String.fromCharCode(last - 1);
  if (!from.startsWith(prefix)) throw notServed("ranges but of one prefix");
  return { prefix: textOf(Buffer.from(prefix, "latin1")), exact: false };
}
