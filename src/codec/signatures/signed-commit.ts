import type { CommitId } from "../../domain/names.ts";

/** A raw commit object, cut into what was signed and the signature; both byte for byte as they stand in it. */
export interface SignedCommit {
  /** In the order of the object; the first is the branch that was merged into. */
  readonly parents: readonly CommitId[];
  /** Milliseconds since the epoch, as the committer claims. */
  readonly committedMs: number;
  /** The object without the signature's header: what `git commit -S` gave to the signing program. */
  readonly payload: Uint8Array;
  /** The armored text; null where the commit is not signed. */
  readonly signature: string | null;
}

/** The largest seen is 3 KiB: RSA of 16,384 bits, armored. */
const SIGNATURE_CHARACTERS_MAX = 16 * 1024;
/** An octopus has a handful. */
const PARENTS_MAX = 1000;
const NEWLINE = 0x0a;
const SPACE = 0x20;

/**
 * Null where the object is not laid out as git writes it (tree, parents, author, committer, then the rest of the headers): what another
 * reader might see in it cannot be known, so no signature of it counts. Also with two signatures: git itself would join them.
 */
export function cutCommit(raw: Uint8Array): SignedCommit | null {
  const headers = headersOf(raw);
  if (headers === null) return null;
  const names = headers.map(({ name }) => name);
  const parents = headers.filter(({ name }) => name === "parent");
  const committer = headers[parents.length + 2];
  const isInOrder =
    names[0] === "tree" &&
    parents.every((_, at) => names[at + 1] === "parent") &&
    names[parents.length + 1] === "author" &&
    committer?.name === "committer";
  const isOnce = ["tree", "author", "committer"].every((name) => names.indexOf(name) === names.lastIndexOf(name));
  if (!isInOrder || !isOnce || parents.length > PARENTS_MAX) return null;
  if (![headers[0]!, ...parents].every(({ value }) => /^[0-9a-f]{40}$/.test(value))) return null;
  const seconds = /> (\d{1,11}) [+-]\d{4}$/.exec(committer.value)?.[1];
  // `gpgsig-sha256` and the like: a second signature, of the same commit under another kind of id.
  const signatures = headers.filter(({ name }) => name.startsWith("gpgsig"));
  const [signed] = signatures;
  if (seconds === undefined || signatures.length > 1 || (signed !== undefined && signed.name !== "gpgsig")) return null;
  if (signed !== undefined && signed.value.length > SIGNATURE_CHARACTERS_MAX) return null;
  return {
    parents: parents.map(({ value }) => value as CommitId),
    committedMs: Number(seconds) * 1000,
    payload:
      signed === undefined ? raw : Buffer.concat([raw.subarray(0, signed.startsAt), raw.subarray(signed.endsAt)]),
    signature: signed?.value ?? null,
  };
}

interface Header {
  readonly name: string;
  /** Latin-1, so that each byte is one character; lines that go on are joined by newlines, without the space before each. */
  readonly value: string;
  readonly startsAt: number;
  /** Behind its last newline. */
  readonly endsAt: number;
}

function headersOf(raw: Uint8Array): readonly Header[] | null {
  const headers: Header[] = [];
  for (let at = 0; raw[at] !== NEWLINE; ) {
    const startsAt = at;
    const lines: string[] = [];
    do {
      const end = raw.indexOf(NEWLINE, at);
      // A commit without an empty line has no end of its headers.
      if (end < 0) return null;
      lines.push(Buffer.from(raw.subarray(at, end)).toString("latin1"));
      at = end + 1;
    } while (raw[at] === SPACE);
    const [first = "", ...rest] = lines;
    const space = first.indexOf(" ");
    if (space <= 0 || lines.some((line) => line.includes("\0"))) return null;
    const value = [first.slice(space + 1), ...rest.map((line) => line.slice(1))].join("\n");
    headers.push({ name: first.slice(0, space), value, startsAt, endsAt: at });
  }
  return headers;
}
