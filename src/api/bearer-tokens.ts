import { createHash, timingSafeEqual } from "node:crypto";

/** Of a random token this is 100 bits in base32 and more in anything else: nobody guesses it over a network. */
export const TOKEN_MIN = 20;
/** One for each program that asks. */
const TOKENS_MAX = 100;

/** The tokens of a file, a line each; empty lines and lines that begin with # are none. A sentence where it cannot be used. */
export function readTokens(text: string): { readonly tokens: readonly string[] } | { readonly problem: string } {
  const tokens = text
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("#"));
  if (tokens.length === 0) return { problem: "it holds no token" };
  if (tokens.length > TOKENS_MAX) return { problem: `it holds more than ${TOKENS_MAX} tokens` };
  const isToken = (token: string) => /^[A-Za-z0-9._~+/=-]+$/.test(token) && token.length >= TOKEN_MIN;
  if (tokens.every(isToken)) return { tokens };
  return { problem: `a token has ${TOKEN_MIN} characters or more, of those a header may carry` };
}

/** Whether an `Authorization` header carries one of them. Takes as long for a wrong one, whichever it is and however alike. */
export function bearsToken(header: string | undefined, tokens: readonly string[]): boolean {
  const given = digest(/^Bearer +(\S+)$/i.exec(header ?? "")?.[1] ?? "");
  let isKnown = false;
  for (const token of tokens) if (timingSafeEqual(given, digest(token))) isKnown = true;
  return isKnown;
}

/** Of one length, whatever was sent. */
function digest(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
