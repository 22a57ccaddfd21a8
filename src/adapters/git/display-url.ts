/** A source's address without what is secret in it: for every message, log and record. */
export function displayUrl(url: string): string {
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    // Not a URL: a path, or scp's user@host:path. What stands before the last @ may be a password.
    return url.includes("@") ? url.slice(url.lastIndexOf("@") + 1) : url;
  }
  parsed.username = "";
  parsed.password = "";
  parsed.search = "";
  parsed.hash = "";
  return parsed.href;
}
