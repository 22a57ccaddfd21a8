import type { Sha256 } from "../names.ts";

/** What a site token says by itself. Whether it is good is what the registry knows of its hash. */
export interface SiteToken {
  /** Of the cluster's record: a token is of one cluster. */
  readonly clusterId: string;
  /** Milliseconds since the epoch, whole seconds. In the text only so that an end of its time can be told from a slip of the pen. */
  readonly expiresMs: number;
  /** 32 hexadecimal digits nobody can guess. */
  readonly secret: string;
}

/** How long a token may be good for: 300 machines are imaged in a week, and what nobody used by then is better made anew. */
export const TOKEN_MIN_MS = 60_000;
export const TOKEN_MAX_MS = 30 * 24 * 3_600_000;
/** A token is 87 characters by now; whatever is much longer is none, and is not looked at. */
export const TOKEN_TEXT_MAX = 200;

const FORM = /^fleet-token-([0-9a-f]{32})-([0-9a-z]{1,9})-([0-9a-f]{32})$/;

/** `fleet-token-<cluster id>-<end, seconds in base 36>-<secret>`: one word, safe in a shell, a file and a kernel's command line. */
export function printSiteToken({ clusterId, expiresMs, secret }: SiteToken): string {
  return `fleet-token-${clusterId}-${Math.floor(expiresMs / 1000).toString(36)}-${secret}`;
}

/** Null where the text is no token. */
export function parseSiteToken(text: string): SiteToken | null {
  if (text.length > TOKEN_TEXT_MAX) return null;
  const [, clusterId, seconds, secret] = FORM.exec(text.trim()) ?? [];
  if (clusterId === undefined || seconds === undefined || secret === undefined) return null;
  return { clusterId, expiresMs: Number.parseInt(seconds, 36) * 1000, secret };
}

/** By which the registry knows it: of its whole text, so that no part of it can be another. 128 bits of chance need no salt. */
export function hashOfToken(token: SiteToken, sha256: Sha256): string {
  return sha256(printSiteToken(token));
}
