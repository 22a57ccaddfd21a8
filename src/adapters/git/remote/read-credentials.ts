import { readFileSync } from "node:fs";
import { OperationError } from "../../../ports/operation-error.ts";
import { displayUrl } from "../display-url.ts";
import { decoded } from "./remote-address.ts";

/** A file of credentials is a few lines. */
const FILE_BYTES_MAX = 64 * 1024;

/**
 * `user:password` for the host of that address, out of a file as git-credential-store(1) writes it; null where it names none. Scheme, host and
 * port must be the same: what is meant for https is never sent in the clear, and a mirror elsewhere is told nothing.
 */
export function readCredentials(path: string, url: string): string | null {
  let text: string;
  try {
    text = readFileSync(path, "latin1").slice(0, FILE_BYTES_MAX);
  } catch (cause) {
    throw new OperationError("credentials-unreadable", `cannot read ${path}, the credentials of ${displayUrl(url)}`, {
      cause,
      next: "check that it is there, and that the daemon's user may read it",
    });
  }
  const { protocol, host } = new URL(url);
  for (const line of text.split("\n").map((each) => each.trim())) {
    if (line.startsWith("#") || !URL.canParse(line)) continue;
    const entry = new URL(line);
    if (entry.protocol !== protocol || entry.host !== host) continue;
    return `${decoded(entry.username)}:${decoded(entry.password)}`;
  }
  return null;
}
