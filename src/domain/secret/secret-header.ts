import { compareText } from "../names.ts";

/**
 * What anybody may know of a secret's file: its header, the way age writes it (age-encryption.org/v1). Who can read it is stated there and
 * cannot be proven without a key; the header is sealed by the file's own key, so that nobody who cannot read the file can restate it.
 */
export interface SecretHeader {
  /** Of the machines it is for, as `recipientTag` makes them; sorted, each once. */
  readonly tags: readonly string[];
  /** How many others can read it: recipients of people, which a header does not name. */
  readonly others: number;
  /** The same for two files that hold the same value, encrypted to different recipients. Null: written by something else than fleet. */
  readonly version: string | null;
}

/** The stanza in which fleet states the version; readers of age pass over what they do not know. */
export const VERSION_STANZA = "fleet-version";

/** The stanza of a recipient that is an ed25519 key; its first argument is the key's tag. */
export const MACHINE_STANZA = "ssh-ed25519";

/** The most a secret's file may have: a value of SECRET_BYTES_MAX takes 88 KB of it, and each machine 150 bytes, of which a thousand fit. */
export const SECRET_FILE_MAX = 256 * 1024;

/** The most a value may have, in bytes: far more than keys, tokens and chains of certificates need, and what systemd takes as one credential. */
export const SECRET_BYTES_MAX = 64 * 1024;

const BEGIN = "-----BEGIN AGE ENCRYPTED FILE-----";
const END = "-----END AGE ENCRYPTED FILE-----";

/** Reads the header of an armored file. `problem`: why it is none, in the manner of a diagnostic's `saw`. */
export function readSecretHeader(text: string): { readonly header: SecretHeader } | { readonly problem: string } {
  if (text.startsWith("age-encryption.org/v1\n")) {
    return { problem: "an age file that is not armored, which git would keep as binary" };
  }
  const lines = text.trim().split(/\r?\n/);
  if (lines[0] !== BEGIN || lines.at(-1) !== END) return { problem: "a file that is no armored age file" };
  const body = lines.slice(1, -1);
  if (body.some((line) => !/^[A-Za-z0-9+/]{1,64}={0,2}$/.test(line))) return { problem: "a damaged age file" };
  const header = headerLines(body.join(""));
  return header === null ? { problem: "a damaged age file" } : { header };
}

/** Null where it is cut short or of another version. */
function headerLines(base64: string): SecretHeader | null {
  const lines = decoded(base64)?.split("\n") ?? [];
  const end = lines.findIndex((line) => line.startsWith("--- "));
  if (lines[0] !== "age-encryption.org/v1" || end === -1) return null;
  const stanzas = lines.slice(1, end).filter((line) => line.startsWith("-> "));
  const tags = new Set<string>();
  let others = 0;
  let version: string | null = null;
  for (const [type = "", first = ""] of stanzas.map((line) => line.slice(3).split(" "))) {
    if (type === MACHINE_STANZA) tags.add(first);
    else if (type === VERSION_STANZA) version = first;
    // Words that only confuse readers, which age recommends to put in.
    else if (!type.endsWith("-grease")) others += 1;
  }
  return { tags: [...tags].sort(compareText), others, version };
}

function decoded(base64: string): string | null {
  try {
    return atob(base64);
  } catch {
    // Not base64: the caller says that the file is damaged.
    return null;
  }
}
