import type { PeerRefusal } from "../../domain/identity/judge-peer.ts";

/**
 * The one line with which the side that was dialled begins, once it has judged who dialled. Without it the other side would count as connected
 * when its own half of the handshake is done, write, and see a connection cut for no reason.
 * - `accepted`: the rest is the application's.
 * - `stranger`: it is answered what anybody may ask, and why no more.
 * - `refused`: the connection ends here.
 */
export type Greeting =
  | { readonly verdict: "accepted" }
  | { readonly verdict: "stranger" | "refused"; readonly code: PeerRefusal };

/** The longest line there is has 30 bytes; a later version may have more to say. */
export const GREETING_BYTES_MAX = 200;

const CODES: readonly string[] = [
  "no-certificate",
  "malformed",
  "other-cluster",
  "wrong-role",
  "not-yet-valid",
  "expired",
  "wrong-key",
  "unlisted-key",
] satisfies readonly PeerRefusal[];

export function greetingLine(greeting: Greeting): string {
  return greeting.verdict === "accepted" ? "fleet/1 accepted\n" : `fleet/1 ${greeting.verdict} ${greeting.code}\n`;
}

/** The greeting in a line without its end, or null where it is none. */
export function parseGreeting(line: string): Greeting | null {
  if (line === "fleet/1 accepted") return { verdict: "accepted" };
  const [, verdict, code = ""] = /^fleet\/1 (stranger|refused) ([a-z-]+)$/.exec(line) ?? [];
  if (verdict === undefined || !CODES.includes(code)) return null;
  return { verdict: verdict as "stranger" | "refused", code: code as PeerRefusal };
}
