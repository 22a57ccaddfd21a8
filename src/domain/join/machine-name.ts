/** What a stanza of the manifest may be called, and so what a machine may be. */
const FORM = /^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$/;

/** Null where a machine cannot have this name in a manifest. */
export function parseMachineName(text: string): string | null {
  return FORM.test(text) ? text : null;
}

/** A host name as a name of a manifest: in lower case, without what has no place there; null where nothing is left. */
export function nameOfHost(host: string): string | null {
  const name = host
    .toLowerCase()
    .replace(/[^a-z0-9.-]+/g, "-")
    .slice(0, 63)
    .replace(/^[.-]+|[.-]+$/g, "");
  return parseMachineName(name);
}
