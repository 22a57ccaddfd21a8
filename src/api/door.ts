import type { IncomingHttpHeaders } from "node:http";
import { isIP } from "node:net";
import { ApiProblem } from "./api-problem.ts";

/** How a listener takes its callers. */
export interface Door {
  readonly scheme: "http" | "https";
  /** Names a caller may know this server by; null: a socket file, which has none. Addresses are always good. */
  readonly names: readonly string[] | null;
  /** Null: whoever gets in may ask, by the file's mode or by a certificate. */
  readonly tokens: (() => readonly string[]) | null;
}

/**
 * Throws where a request is a page's in somebody's browser, which can send requests to whatever its machine reaches: it says so in `Origin`, or,
 * where its own name was made to lead here (DNS rebinding), it carries that name in `Host`.
 */
export function refusePages({ host = "", origin }: IncomingHttpHeaders, door: Door): void {
  if (door.names !== null && !isOwnName(host, door.names)) {
    throw new ApiProblem(403, "this server is not known by that Host; --api-names lists those it has");
  }
  if (origin !== undefined && origin !== `${door.scheme}://${host}`) {
    throw new ApiProblem(403, "no page of another origin may ask here");
  }
}

/** What whoever shows no token is told. */
export function unknownCaller(): ApiProblem {
  return new ApiProblem(401, "send a token of the engine's --api-token-file: Authorization: Bearer …", {
    "WWW-Authenticate": 'Bearer realm="fleet"',
  });
}

/** An address cannot be somebody else's name. */
function isOwnName(host: string, names: readonly string[]): boolean {
  const name = /^(?:\[([^\]]+)\]|([^:]+))(?::\d{1,5})?$/
    .exec(host)
    ?.slice(1)
    .find((part) => part !== undefined);
  if (name === undefined) return false;
  return isIP(name) !== 0 || names.includes(name.toLowerCase());
}
