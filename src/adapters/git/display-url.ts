/** A source's address without what is secret in it: for every message, log and record. */
export function displayUrl(url: string): string {
  const parsed = url.includes("://") && URL.canParse(url) ? new URL(url) : null;
  // A path, or scp's user@host:path. What stands before the last @ may be a password.
  if (parsed === null) return url.slice(url.lastIndexOf("@") + 1);
  parsed.username = "";
  parsed.password = "";
  parsed.search = "";
  parsed.hash = "";
  return parsed.href;
}
