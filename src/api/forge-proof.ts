import { createHmac, timingSafeEqual } from "node:crypto";
import type { IncomingMessage } from "node:http";
import { ApiProblem } from "./api-problem.ts";
import { bearsToken } from "./bearer-tokens.ts";

/** A push of a few thousand commits; forges send less, and nothing of it is read but its digest. */
const BODY_MAX = 1_048_576;

/**
 * Whether a webhook shows one of these tokens as forges do, which let nobody set `Authorization`: GitLab as it is (`X-Gitlab-Token`), GitHub, Gitea and
 * Forgejo by signing the body with it (`X-Hub-Signature-256`). Reads the body. Throws 413 where it is too large.
 */
export async function provesToken(request: IncomingMessage, tokens: readonly string[]): Promise<boolean> {
  const { "x-gitlab-token": plain, "x-hub-signature-256": signature } = request.headers;
  if (typeof plain === "string") {
    request.resume();
    return bearsToken(`Bearer ${plain}`, tokens);
  }
  const signed = /^sha256=([0-9a-f]{64})$/.exec(String(signature))?.[1];
  if (signed === undefined) return false;
  const macs = tokens.map((token) => createHmac("sha256", token));
  let bytes = 0;
  // Whoever is refused is to hear of it: the connection stays.
  for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    if (bytes > BODY_MAX) throw new ApiProblem(413, `a webhook's body has ${BODY_MAX} bytes at most`);
    for (const mac of macs) mac.update(chunk);
  }
  const given = Buffer.from(signed, "hex");
  let isKnown = false;
  for (const mac of macs) if (timingSafeEqual(given, mac.digest())) isKnown = true;
  return isKnown;
}
