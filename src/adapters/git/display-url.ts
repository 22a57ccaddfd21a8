/** A source's address without what is secret in it: for every message, log and record. Of several, each. */
export function displayUrl(url: string): string {
  return splitSources(url).map(displayOne).join(",");
}

/** The addresses of a source, in the order in which they are tried. A comma within one is one where no address begins behind it. */
export function splitSources(text: string): readonly string[] {
  const parts = text.split(/,\s*(?=[a-z][a-z0-9+.-]*:\/\/|\/|[^/,\s]+@[^/,\s]+:)/i).map((part) => part.trim());
  return parts.length === 1 ? [text] : parts.filter((part) => part !== "");
}

function displayOne(url: string): string {
  const parsed = url.includes("://") && URL.canParse(url) ? new URL(url) : null;
  // A path, or scp's user@host:path. What stands before the last @ may be a password, if it is more than a user's name.
  if (parsed === null) return SHORT_FORM.test(url) ? url : url.slice(url.lastIndexOf("@") + 1);
  // Over ssh a user is part of the address; over https it is a token as often as not.
  if (!/^(git\+)?ssh:$/.test(parsed.protocol)) parsed.username = "";
  parsed.password = "";
  parsed.search = "";
  parsed.hash = "";
  return parsed.href;
}

/** A user that Linux could have, and no second @. */
const SHORT_FORM = /^[a-z_][a-z0-9_-]{0,31}@[^@]*$/;
